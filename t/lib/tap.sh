# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154 # work is the script's
# Test points (TAP) of the scripts that source this, each of which has a directory
# of its own in $work.
tap_count=0

# point DESCRIPTION COMMAND...: one test point, of what the command ends with. What
# it says is shown if it fails, and with TAP_SHOW in any case.
point() {
    local what=$1 start=$SECONDS status=0
    shift
    tap_count=$((tap_count + 1))
    "$@" >"$work/said" 2>&1 || status=$?
    if [ "$status" = 0 ]
    then
        echo "ok $tap_count - $what ($((SECONDS - start)) s)"
    else
        echo "not ok $tap_count - $what"
    fi
    if [ "$status" != 0 ] || [ -n "${TAP_SHOW-}" ]
    then
        tail -n 80 "$work/said" | sed '/^$/d; s/^/#   /'
    fi
}

# skip_all DESCRIPTION REASON: instead of any point; ends the script.
skip_all() {
    echo "ok 1 - $1 # SKIP $2"
    echo 1..1
    exit 0
}
