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

. "$(dirname "$0")/debian_unpack.sh"

[ $# -gt 0 ] || die "name a program, or --fetch"
if [ "$1" = --fetch ]; then
    # By an empty status nothing is there: all that the driver needs is fetched.
    debian_unpack "$at" /dev/null sid "unpack mesa-vulkan-drivers, libvulkan1, libc6 and what they need in $at" \
        mesa-vulkan-drivers libvulkan1 libc6
    debian_driver "$at/lvp.json" "$lib/libvulkan_lvp.so"
    echo "unpacked in $at"
    exit 0
fi
if [ ! -f "$at/lvp.json" ]; then
    echo "skipped: unstable's llvmpipe is not in $at: run scripts/llvmpipe_mesa.sh --fetch"
    exit 77
fi
VK_DRIVER_FILES=$at/lvp.json VK_ICD_FILENAMES=$at/lvp.json exec "$lib/ld-linux-x86-64.so.2" --library-path "$lib" "$@"
