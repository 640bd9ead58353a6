# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# A bare Debian 12 in a directory, with its packages from where this machine has
# them, and that it boots; and a copy of the sources. For t/check-bare, t/check-deb,
# t/check-documented, t/check-seventh-key and t/check-upgrade, which source this.

bare_env=()

# bare_make DIR [PACKAGE...]: makes it. What it says is for a log; false if it
# cannot be made here.
bare_make() {
    local root=$1 mirror
    shift
    # shellcheck disable=SC2016 # apt-get's
    mirror=$(apt-get indextargets --format '$(REPO_URI)' \
        'Created-By: Packages' 'Codename: bookworm' | head -n 1)
    # shellcheck disable=SC2086 # none is no argument
    timeout 300 debootstrap --variant=minbase \
        ${1:+--include=$(IFS=,; echo "$*")} bookworm "$root" $mirror || return
    cp /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list \
        "$root/etc/apt/sources.list.d/" 2>/dev/null
    # How they are reached: a proxy, a name and password, certificates.
    cp -r /etc/apt/auth.conf.d "$root/etc/apt/" 2>/dev/null
    grep -l 'Acquire::' /etc/apt/apt.conf.d/* 2>/dev/null |
        xargs -r cp -t "$root/etc/apt/apt.conf.d/"
    cp /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null
    # No package starts a service in it.
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod +x "$root/usr/sbin/policy-rc.d"
}

# bare_run SECONDS DIR COMMAND...: in it, with an environment of its own, and what is
# in the array bare_env. With
# BARE_EXEC in the place of this shell, so that a signal reaches the command.
bare_run() {
    local seconds=$1 root=$2
    shift 2
    ${BARE_EXEC:+exec} env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive \
        LC_ALL=C.UTF-8 HOME=/root ${https_proxy+https_proxy="$https_proxy"} \
        "${bare_env[@]}" \
        timeout "$seconds" chroot "$root" "$@"
}

# copy_sources SRCDIR DIR: as a checkout has them: what git would track, or of a
# tarball all but what is built.
copy_sources() {
    mkdir -p "$2"
    if git -C "$1" rev-parse --is-inside-work-tree >/dev/null 2>&1
    then
        git -C "$1" ls-files -z --cached --others --exclude-standard |
            tar -C "$1" --null --ignore-failed-read -T - -c
    else
        tar -C "$1" --exclude=./build --exclude=node_modules -c .
    fi | tar -C "$2" --no-same-owner -x
}

# bare_boot DIR LOG: boots it, in a network of its own. Sets nspawn, the process to
# end it by, and init, its first one.
bare_boot() {
    systemd-nspawn --quiet --directory "$1" --boot --private-network \
        --register=no --keep-unit --console=read-only >"$2" 2>&1 </dev/null &
    nspawn=$!
    init=
    for _ in {1..60}
    do
        sleep 1
        # Not pgrep: procps is not everywhere.
        read -r init _ <"/proc/$nspawn/task/$nspawn/children"
        [ -n "$init" ] || continue
        case $(bare_inside systemctl is-system-running 2>/dev/null) in
        running | degraded) return 0 ;;
        esac
    done
    [ -n "$init" ]
}

# bare_inside COMMAND...: in the system that has booted.
bare_inside() {
    timeout 120 nsenter --target "$init" --all -- env -i LC_ALL=C.UTF-8 \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        HOME=/root DEBIAN_FRONTEND=noninteractive "$@"
}

bare_halt() {
    [ -z "${nspawn-}" ] || { kill "$nspawn"; wait "$nspawn"; } 2>/dev/null
}
