#!/bin/sh
# Runs a program with Mesa 25.0.7's RADV as a gfx1103 that is not there: it has the matrix units, which Debian 12's Mesa has not.
#
#   rdna3_mesa.sh --fetch           fetch the driver's packages and unpack them; nothing is installed
#   rdna3_mesa.sh PROGRAM ARGS...   run it; exit 77, with the reason, where the driver was not fetched
#
# The packages are bookworm-backports', from the mirror that this Debian's apt already uses, unpacked in $GRETA_RDNA3_MESA
# (default: the user's cache). The version is pinned: registers differ from one to the next, and Mesa 26 has no such device.
set -eu

wanted=25.0.7-2~bpo12+1
at=${GRETA_RDNA3_MESA:-${XDG_CACHE_HOME:-$HOME/.cache}/greta/mesa-25.0.7}
lib=$at/usr/lib/x86_64-linux-gnu

die() {
    echo "rdna3_mesa.sh: $*" >&2
    exit 1
}

fetch() {
    command -v apt-get >/dev/null || die "no apt-get here: unpack mesa-vulkan-drivers $wanted in $at"
    site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep '/debian/*$' | head -n 1)
    [ -n "$site" ] || die "apt knows no Debian mirror: unpack mesa-vulkan-drivers $wanted in $at"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$at.new"
    cp /var/lib/dpkg/status "$work/status"
    echo "deb $site bookworm main" >"$work/sources.list"
    echo "deb $site bookworm-backports main" >>"$work/sources.list"
    set -- -q -y -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o "Dir::State::Lists=$work/lists" -o "Dir::State::status=$work/status" -o "Dir::Cache=$work/cache" \
        -o APT::Install-Recommends=false -o Acquire::Languages=none -o APT::Sandbox::User=root
    apt-get "$@" update >"$work/log" 2>&1 || { cat "$work/log" >&2; die "cannot read bookworm-backports' package lists"; }
    apt-get "$@" --download-only install "mesa-vulkan-drivers=$wanted" "libdrm-amdgpu1/bookworm-backports" \
        "libdrm2/bookworm-backports" "libdrm-common/bookworm-backports" >"$work/log" 2>&1 ||
        { cat "$work/log" >&2; die "cannot fetch mesa-vulkan-drivers $wanted"; }
    for package in "$work"/cache/archives/mesa-vulkan-drivers_*.deb "$work"/cache/archives/libdrm*.deb; do
        dpkg -x "$package" "$at.new"
    done
    printf '{"file_format_version": "1.0.0", "ICD": {"api_version": "1.4.305", "library_path": "%s"}}\n' \
        "$lib/libvulkan_radeon.so" >"$at.new/radeon.json"
    rm -rf "$at"
    mv "$at.new" "$at"
    echo "unpacked in $at"
}

[ $# -gt 0 ] || die "name a program, or --fetch"
if [ "$1" = --fetch ]; then
    fetch
    exit 0
fi
if [ ! -f "$at/radeon.json" ]; then
    echo "skipped: Mesa 25.0.7 is not in $at: run scripts/rdna3_mesa.sh --fetch"
    exit 77
fi
RADV_FORCE_FAMILY=phoenix VK_DRIVER_FILES=$at/radeon.json VK_ICD_FILENAMES=$at/radeon.json MESA_SHADER_CACHE_DISABLE=true \
    LD_LIBRARY_PATH=$lib exec "$@"
