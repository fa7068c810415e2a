"""How fast it is: benchmarks that put muxloop beside other loops and selectors, in one interleaved run."""
