#!/bin/sh
# Runs a program with the llvmpipe of Debian's unstable, which has cooperative matrices (of 8x8x8, f16 with f32 sums): Debian 12's has not.
#
#   llvmpipe_mesa.sh --fetch           fetch the driver's packages and unpack them; nothing is installed
#   llvmpipe_mesa.sh PROGRAM ARGS...   run it; exit 77, with the reason, where the driver was not fetched
#
# The packages come from the mirror that this Debian's apt already uses, unpacked in $GRETA_LLVMPIPE_MESA (default: the user's cache). They
# want a newer C library, so that the program runs by theirs, through their own dynamic loader. Mesa 26.2.6 was seen to work; unstable
# moves on, and the program says which one it met.
set -eu

at=${GRETA_LLVMPIPE_MESA:-${XDG_CACHE_HOME:-$HOME/.cache}/greta/llvmpipe}
lib=$at/usr/lib/x86_64-linux-gnu

die() {
    echo "llvmpipe_mesa.sh: $*" >&2
    exit 1
}

fetch() {
    command -v apt-get >/dev/null || die "no apt-get here: unpack mesa-vulkan-drivers, libvulkan1, libc6 and what they need in $at"
    site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep '/debian/*$' | head -n 1)
    [ -n "$site" ] || die "apt knows no Debian mirror: unpack mesa-vulkan-drivers, libvulkan1, libc6 and what they need in $at"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$at.new"
    : >"$work/status" # nothing is there: all that the driver needs is fetched
    echo "deb $site sid main" >"$work/sources.list"
    set -- -q -y -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o "Dir::State::Lists=$work/lists" -o "Dir::State::status=$work/status" -o "Dir::Cache=$work/cache" \
        -o APT::Install-Recommends=false -o Acquire::Languages=none -o APT::Sandbox::User=root
    apt-get "$@" update >"$work/log" 2>&1 || { cat "$work/log" >&2; die "cannot read unstable's package lists"; }
    apt-get "$@" --download-only install mesa-vulkan-drivers libvulkan1 libc6 >"$work/log" 2>&1 ||
        { cat "$work/log" >&2; die "cannot fetch unstable's mesa-vulkan-drivers"; }
    for package in "$work"/cache/archives/*.deb; do dpkg -x "$package" "$at.new"; done
    printf '{"file_format_version": "1.0.0", "ICD": {"api_version": "1.4.305", "library_path": "%s"}}\n' \
        "$lib/libvulkan_lvp.so" >"$at.new/lvp.json"
    rm -rf "$at"
    mv "$at.new" "$at"
    echo "unpacked in $at"
}

[ $# -gt 0 ] || die "name a program, or --fetch"
if [ "$1" = --fetch ]; then
    fetch
    exit 0
fi
if [ ! -f "$at/lvp.json" ]; then
    echo "skipped: unstable's llvmpipe is not in $at: run scripts/llvmpipe_mesa.sh --fetch"
    exit 77
fi
VK_DRIVER_FILES=$at/lvp.json VK_ICD_FILENAMES=$at/lvp.json exec "$lib/ld-linux-x86-64.so.2" --library-path "$lib" "$@"
