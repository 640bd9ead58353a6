# SPDX-License-Identifier: MIT
# Keeps the include rule of t/floors. One test point a file.
cd "$SRCDIR" || exit 99
set -- src/*.[ch]
[ -f "$1" ] || exit 99
awk '
function module(path) {
    sub(/.*\//, "", path)
    sub(/\.[a-z]+$/, "", path)
    return path
}

function fault(text) {
    faults = faults "\n#   " text
}

# ARGV: t/floors, then the sources.
FILENAME == "t/floors" {
    if ($1 == "lib") {
        users[$2] = " "
        for (i = 3; i <= NF; i++)
            users[$2] = users[$2] $i " "
    } else if ($1 ~ /^[0-9]$/) {
        if ($2 in floor)
            doubled = doubled " " $2
        floor[$2] = $1
        for (i = 3; i <= NF; i++)
            sees[$2, $i] = 1
    }
    next
}

FNR == 1 {
    close_file()
    file = FILENAME
    me = module(file)
    seen[me] = 1
    faults = ""
    if (!(me in floor))
        fault("has no row in t/floors")
}

/^[ \t]*#[ \t]*include[ \t]*"/ {
    split($0, part, "\"")
    other = module(part[2])
    if (other == me || other == "config" || !(me in floor))
        next
    if (!(other in floor))
        fault(FNR ": " part[2] " has no row in t/floors")
    else if (floor[other] > floor[me])
        fault(FNR ": " part[2] " is on floor " floor[other] ", this on " \
              floor[me])
    else if (floor[other] == floor[me] && !((me, other) in sees))
        fault(FNR ": " part[2] " is on this floor, and not listed for " me)
}

/^[ \t]*#[ \t]*include[ \t]*[<"]/ {
    split($0, part, /[<>"]/)
    for (lib in users)
        if (index(part[2], lib) == 1 && index(users[lib], " " me " ") == 0)
            fault(FNR ": " part[2] " is not for " me)
}

function close_file() {
    if (file == "")
        return
    count++
    print (faults == "" ? "ok " : "not ok ") count " - " file faults
}

END {
    close_file()
    gone = doubled
    for (name in floor)
        if (!(name in seen) && name != "openapi_json")
            gone = gone " " name
    print (gone == "" ? "ok " : "not ok ") ++count \
          " - t/floors has one row for each file there is" \
          (gone == "" ? "" : "\n#  " gone)
    print "1.." count
}
' t/floors "$@"
