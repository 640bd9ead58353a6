# SPDX-License-Identifier: MIT
# Calls that no file may hold, in the program or its tests: each writes without
# a bound, hides an error, or keeps state that another thread shares.
cd "$SRCDIR" || exit 99
files='src/*/*.[ch] src/*/*/*.[ch] t/*.c t/*/*.[ch]
    t/unit/*/*.c t/unit/*/*/*.c'
count=0

# banned WHY NAME...: one test point a name
banned() {
    why=$1
    shift
    for name
    do
        count=$((count + 1))
        # shellcheck disable=SC2086 # globs, to be expanded
        found=$(grep -nE "(^|[^A-Za-z0-9_])$name *\(" $files)
        case $? in
        0)
            echo "not ok $count - no $name: it $why"
            echo "$found" | sed 's/^/#   /'
            ;;
        1) echo "ok $count - no $name: it $why" ;;
        *) exit 99 ;;
        esac
    done
}

banned 'writes without a bound' gets sprintf strcat strcpy vsprintf
banned 'need not end its text with a NUL' strncat strncpy
banned 'cannot tell an error from a number' atof atoi atol atoll
banned 'keeps state that is shared' asctime ctime gmtime localtime rand strtok
banned 'takes unbounded stack' alloca
banned 'changes how numbers are read' setlocale
banned 'ends in a shell' popen system
banned 'can be raced' mktemp tempnam tmpnam
banned 'leaks a request of its own' FCGX_CreateWriter
files=$(ls src/*/*.[ch] src/*/*/*.[ch] | grep -vFx src/json/decode.c)
banned 'lets pass what decode_json refuses' json_loadb json_loads
files='src/*/*.[ch] src/*/*/*.[ch]'
banned 'reads more than digits; base/number does not' \
    strtol strtoll strtoul strtoull strtoimax strtoumax sscanf
banned 'writes times in a way of its own; base/timestamp has one' strftime
echo "1..$count"
