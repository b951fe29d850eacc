#!/bin/sh
# Runs every test, then says how many ran, how many failed and which were skipped and why.
# A test that cannot run prints a line `skipped: <test>: <reason>`.
set -u
log="$(mktemp)"
trap 'rm -f "$log"' EXIT

cargo test --locked --no-fail-fast -- --nocapture >"$log" 2>&1
status=$?
grep -E '^(test result|error|thread .* panicked|failures:|    [a-z_]+::|skipped: )|panicked at|FAILED' "$log" | grep -v '^test .* ok$' || true
if [ "$status" != 0 ]; then
    echo "---- the end of the log ----"
    tail -n 150 "$log"
fi

sum() { awk -v word="$1" '/^test result/ { for (i = 2; i <= NF; i++) if ($i ~ "^" word) total += $(i - 1) } END { print total + 0 }' "$log"; }
skipped="$(grep -c '^skipped: ' "$log")"
passed="$(sum passed)"
failed="$(sum failed)"
echo "Skipped, and why:"
grep '^skipped: ' "$log" | sort | uniq -c || true
echo "$((passed - skipped)) passed, $failed failed, $skipped skipped"
exit "$status"
