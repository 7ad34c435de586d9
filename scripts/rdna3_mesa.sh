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

. "$(dirname "$0")/debian_unpack.sh"

[ $# -gt 0 ] || die "name a program, or --fetch"
if [ "$1" = --fetch ]; then
    debian_unpack "$at" /var/lib/dpkg/status "bookworm bookworm-backports" "unpack mesa-vulkan-drivers $wanted in $at" \
        "mesa-vulkan-drivers=$wanted" libdrm-amdgpu1/bookworm-backports libdrm2/bookworm-backports libdrm-common/bookworm-backports
    debian_driver "$at/radeon.json" "$lib/libvulkan_radeon.so"
    echo "unpacked in $at"
    exit 0
fi
if [ ! -f "$at/radeon.json" ]; then
    echo "skipped: Mesa 25.0.7 is not in $at: run scripts/rdna3_mesa.sh --fetch"
    exit 77
fi
RADV_FORCE_FAMILY=phoenix VK_DRIVER_FILES=$at/radeon.json VK_ICD_FILENAMES=$at/radeon.json MESA_SHADER_CACHE_DISABLE=true \
    LD_LIBRARY_PATH=$lib exec "$@"
