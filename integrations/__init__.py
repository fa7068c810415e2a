"""Other worlds on our selectors and timers: each module here is what one of them asks a loop to be."""
