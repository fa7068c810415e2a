#!/usr/bin/env bash
# The step of action.yml that judges; its inputs come as variables: SUBJECTS, RULES, PROFILE, SEED, STRICT, JOBS,
# COMPARE, REPORTS, PYTHON. Exits as `muxloop conform` does, after the summary and the outputs are written.
set -euo pipefail

read -r -d '' -a subjects <<<"$SUBJECTS" || true # read says 1 at the end of its input
if [ "${#subjects[@]}" -eq 0 ]; then
    # Without any, muxloop would be judged instead of the loop that was meant.
    echo "::error::subjects: names nothing; give NAME[@BACKEND], MODULE:FACTORY or selector:MODULE:CLASS"
    exit 2
fi

options=(--profile "$PROFILE" -n "$JOBS")
if [ -n "$RULES" ]; then options+=(--rules "$RULES"); fi
if [ -n "$SEED" ]; then options+=(--seed "$SEED"); fi
if [ "$STRICT" = true ]; then options+=(--strict); fi
if [ -f "$COMPARE" ]; then options+=(--compare "$COMPARE"); fi

mkdir -p "$REPORTS"
options+=(--json "$REPORTS/report.json" --html "$REPORTS/report.html")
options+=(--markdown "$REPORTS/report.md" --junit "$REPORTS/junit.xml")

code=0
"$PYTHON" -m muxloop conform "${options[@]}" -- "${subjects[@]}" || code=$?

if [ -f "$REPORTS/report.md" ]; then cat "$REPORTS/report.md" >>"$GITHUB_STEP_SUMMARY"; fi
echo "exit-code=$code" >>"$GITHUB_OUTPUT"
echo "reports=$REPORTS" >>"$GITHUB_OUTPUT"
exit "$code"
