#!/bin/sh
# SPDX-License-Identifier: MIT
# What make install puts where, by the list in t/installed; that its files name
# what is there; that there is one version; and that uninstall leaves nothing.
set -u
top=${SRCDIR:-.}
build=${BUILDDIR:-.}
dest=$(mktemp -d)
trap 'rm -rf "$dest"' EXIT
prefix=$(sed -n 's/^prefix = //p' "$build/Makefile")
version=$(sed -n 's/^AC_INIT(\[orderconf\], \[\(.*\)\])$/\1/p' \
    "$top/configure.ac")
root=$dest$prefix
count=0

# point DESCRIPTION COMMAND...: one test point
point() {
    what=$1
    shift
    count=$((count + 1))
    if "$@" >"$dest/said" 2>&1; then
        echo "ok $count - $what"
    else
        echo "not ok $count - $what"
        sed 's/^/#   /' "$dest/said"
    fi
}

# make of our own: the one that runs this test has nothing to say here.
make_it() {
    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$build" "$@" \
        DESTDIR="$dest"
}

lists() {
    (cd "$root" && find . ! -type d | sed 's|^\./||' | LC_ALL=C sort) |
        diff "$top/t/installed" -
}

# The paths of programs in units are those where programs are.
names_programs() {
    for unit in "$root"/lib/systemd/system/*.service \
        "$root"/share/doc/orderconf/examples/*.service; do
        ! grep -n '@[a-z]*@' "$unit" || return 1
        program=$(sed -n 's/^ExecStart=//p' "$unit" | tr ' ' '\n' |
            grep -x '/.*/orderconf\(\.fcgi\)\{0,1\}')
        [ -n "$program" ] && [ -x "$dest$program" ] && continue
        echo "$unit: $program"
        return 1
    done
}

has_version() {
    [ -n "$version" ] || return 1
    for program in bin/orderconf sbin/orderconf.fcgi; do
        "$root/$program" --version | grep -F " $version" || return 1
    done
    for page in man1/orderconf.1 man7/orderconf.7 man7/orderconf-secrets.7 \
        man8/orderconf.fcgi.8; do
        grep -F "\"orderconf $version\"" "$root/share/man/$page" || return 1
    done
    head -n 1 "$top/debian/changelog" | grep -F "($version)" &&
        head -n 1 "$top/NEWS" | grep -Fw "$version" &&
        grep -Fx "  version: $version" "$top/data/openapi.yaml"
}

nothing_left() {
    make_it uninstall && ! find "$root" ! -type d | grep .
}

point 'make install' make_it install
point 'it is what t/installed lists' lists
point 'units name programs that are there' names_programs
point 'programs, pages, package and NEWS have the version of configure.ac' \
    has_version
point 'uninstall leaves nothing' nothing_left
echo "1..$count"
