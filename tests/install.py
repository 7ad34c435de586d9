#!/usr/bin/env python3
"""What `meson install` lays down is usable alone: install.py BUILD_DIR CC PKG_CONFIG

Installs into a temporary root, checks that the shared library exports greta_* and nothing else, and builds and runs a program
against the shared and the static library by pkg-config.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

PROGRAM = r"""
#include <greta/kernels.h>
#include <stdio.h>
int main(void) {
    struct greta_ctx *ctx = NULL;
    struct greta_dev *dev = NULL;
    struct greta_plan *plan = NULL;
    struct greta_ctx_params params = {.n_threads = 1};
    if (greta_ctx_create(&params, &ctx) || greta_dev_open(ctx, "cpu", NULL, &dev) || greta_plan_create(dev, NULL, &plan)) return 1;
    printf("%s %u\n", greta_dev_get_info(dev)->backend, (unsigned)(greta_variant_count() > 0));
    greta_plan_destroy(&plan);
    greta_dev_close(&dev);
    greta_ctx_destroy(&ctx);
    return 0;
}
"""


def run(*command, **kw):
    return subprocess.run(command, check=True, capture_output=True, text=True, **kw).stdout


def main():
    build, cc, pkg_config = sys.argv[1:4]
    root = pathlib.Path(tempfile.mkdtemp())
    run("meson", "install", "-C", build, "--no-rebuild", "--destdir", str(root))
    pc = next(root.rglob("greta.pc"))
    libdir = pc.parent.parent
    shared = next(libdir.glob("libgreta.so.?"))
    exported = re.findall(r" [TDBRVW] (\S+)", run("nm", "-D", "--defined-only", str(shared)))
    foreign = [name for name in exported if not name.startswith("greta_")]
    if not exported or foreign:
        print(f"{shared.name} exports {len(exported)} symbols, not ours: {foreign[:10]}")
        return 1
    env = {**os.environ, "PKG_CONFIG_PATH": str(pc.parent), "PKG_CONFIG_SYSROOT_DIR": str(root)}
    source = root / "program.c"
    source.write_text(PROGRAM)
    for static in (False, True):
        flags = run(pkg_config, "--cflags", "--libs", *(["--static"] if static else []), "greta", env=env).split()
        if static:
            flags = [str(libdir / "libgreta.a") if flag == "-lgreta" else flag for flag in flags]
        program = root / f"program-{'static' if static else 'shared'}"
        run(cc, "-std=c17", "-Wall", "-Werror", "-o", str(program), str(source), *flags)
        if static and "libgreta" in run("readelf", "-d", str(program)):
            print("the static program needs the shared library")
            return 1
        out = run(str(program), env={**os.environ, "LD_LIBRARY_PATH": str(libdir), "GRETA_CACHE": ""})
        if out != "cpu 1\n":
            print(f"{program.name} printed {out!r}")
            return 1
    print(f"{len(exported)} symbols, all greta_*; programs against both libraries run")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        print(error, error.stdout, error.stderr, sep="\n")
        sys.exit(1)
