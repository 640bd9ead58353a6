# SPDX-License-Identifier: MIT
# Keeps the table of t/rooms true. One test point a file, and three for the
# whole.
cd "$SRCDIR" || exit 99
set -- src/*/*.[ch] src/*/*/*.[ch]
[ -f "$1" ] || exit 99
awk '
function room_of(path) {
    sub(/\/[^\/]*$/, "", path)
    return path
}

# A header and its source are one.
function module_of(path) {
    sub(/\.[a-z]+$/, "", path)
    return path
}

function fault(text) {
    faults = faults "\n#   " text
}

function point(is_good, name, why) {
    print (is_good ? "ok " : "not ok ") ++count " - " name why
}

function close_file() {
    if (file != "")
        point(faults == "", "src/" file, faults)
    faults = ""
}

function read_row(    i) {
    if ($1 ~ /^</) {
        libs[$1] = " "
        for (i = 2; i <= NF; i++) {
            libs[$1] = libs[$1] $i " "
            named[$i]
        }
        return
    }
    if ($1 ~ /\.c$/)
        named[module_of($1)]
    else
        rooms[$1]
    for (i = 2; i <= NF; i++) {
        sees[$1, $i]
        if (!($i in rooms) || $i == $1)
            upward = upward "\n#   " $1 ": " $i
    }
}

function check_file(other,    its) {
    its = room_of(other)
    if (other == "config.h" || other == file)
        return
    if (!(its in rooms))
        fault(FNR ": " other " names no room")
    else if (its != room && !((room, its) in sees) && !((file, its) in sees))
        fault(FNR ": " room " may not see " other)
    if (module_of(other) != me)
        edges[me] = edges[me] module_of(other) " "
}

function check_library(other,    lib) {
    for (lib in libs)
        if (index("<" other ">", lib) == 1 &&
            index(libs[lib], " " me " ") == 0 &&
            index(libs[lib], " " room " ") == 0)
            fault(FNR ": " other " is not for " me)
}

# Goes on from way[depth]. state: 1 on the way, 2 done.
function walk(depth,    n, i, to, others) {
    state[way[depth]] = 1
    n = split(edges[way[depth]], others, " ")
    for (i = 1; i <= n; i++) {
        to = others[i]
        if (state[to] == 1)
            found_circle(depth, to)
        else if (state[to] == 0) {
            way[depth + 1] = to
            walk(depth + 1)
        }
    }
    state[way[depth]] = 2
}

function found_circle(depth, to,    text) {
    for (text = to; way[depth] != to; depth--)
        text = way[depth] " -> " text
    circles = circles "\n#   " to " -> " text
}

FILENAME == "t/rooms" {
    if (NF > 0 && $1 !~ /^#/)
        read_row()
    next
}

FNR == 1 {
    close_file()
    file = substr(FILENAME, length("src/") + 1)
    me = module_of(file)
    room = room_of(file)
    seen[me]
    seen[room]
    if (!(room in rooms))
        fault("its room has no row in t/rooms")
}

/^[ \t]*#[ \t]*include[ \t]*[<"]/ {
    split($0, part, /[<>"]/)
    if ($0 ~ /"/)
        check_file(part[2])
    else
        check_library(part[2])
}

END {
    close_file()
    for (name in rooms)
        named[name]
    for (name in named)
        if (!(name in seen))
            gone = gone "\n#   " name
    point(gone == "", "what t/rooms names is there", gone)
    point(upward == "", "a room sees only rooms above it in t/rooms", upward)
    for (module in edges) {
        way[1] = module
        if (state[module] == 0)
            walk(1)
    }
    point(circles == "", "no files include each other in a circle", circles)
    print "1.." count
}
' t/rooms "$@"
