#!/usr/bin/env python3
"""What `meson install` lays down is usable alone: install.py BUILD_DIR CC PKG_CONFIG

Installs into a temporary root, checks that the shared libraries export greta_* and nothing else, and builds and runs a program
against the shared and the static ones by pkg-config, which sees no other package: no user needs Vulkan's headers.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

KERNELS = r"""
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
LLM = r"""
#include <greta/llm.h>
#include <stdio.h>
int main(void) {
    struct greta_ctx *ctx = NULL;
    struct greta_dev *dev = NULL;
    struct greta_model *model = NULL;
    struct greta_ctx_params params = {.n_threads = 1};
    const void *data;
    size_t size;
    if (greta_ctx_create(&params, &ctx) || greta_dev_open(ctx, "cpu", NULL, &dev)) return 1;
    if (greta_builtin_model(&data, &size) && greta_model_load_memory(dev, data, size, "", NULL, &model)) return 1;
    printf("%s 1\n", greta_dev_get_info(dev)->backend);
    greta_model_destroy(&model);
    greta_dev_close(&dev);
    greta_ctx_destroy(&ctx);
    return 0;
}
"""


def run(*command, **kw):
    return subprocess.run(command, check=True, capture_output=True, text=True, **kw).stdout


def check_exports(shared):
    exported = re.findall(r" [TDBRVW] (\S+)", run("nm", "-D", "--defined-only", str(shared)))
    foreign = [name for name in exported if not name.startswith("greta_")]
    if not exported or foreign:
        raise SystemExit(f"{shared.name} exports {len(exported)} symbols, not ours: {foreign[:10]}")
    print(f"{shared.name}: {len(exported)} symbols, all greta_*")


def check_program(package, source, static, cc, pkg_config, root, libdir):
    env = {**os.environ, "PKG_CONFIG_LIBDIR": str(libdir / "pkgconfig")}
    env.pop("PKG_CONFIG_PATH", None)
    prefix = str(root) + run(pkg_config, "--variable=prefix", package, env=env).strip()
    flags = run(pkg_config, f"--define-variable=prefix={prefix}", "--cflags", "--libs", *(["--static"] if static else []), package,
                env=env).split()
    if static:
        flags = [str(libdir / f"lib{flag[2:]}.a") if flag.startswith("-lgreta") else flag for flag in flags]
    program = root / f"{package}-{'static' if static else 'shared'}"
    program.with_suffix(".c").write_text(source)
    run(cc, "-std=c17", "-Wall", "-Werror", "-o", str(program), str(program.with_suffix(".c")), *flags)
    if static and "libgreta" in run("readelf", "-d", str(program)):
        raise SystemExit(f"{program.name} needs the shared library")
    out = run(str(program), env={**os.environ, "LD_LIBRARY_PATH": str(libdir), "GRETA_CACHE": ""})
    if out != "cpu 1\n":
        raise SystemExit(f"{program.name} printed {out!r}")


def main():
    build, cc, pkg_config = sys.argv[1:4]
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        run("meson", "install", "-C", build, "--no-rebuild", "--destdir", folder)
        libdir = next(root.rglob("greta.pc")).parent.parent
        for package, source in (("greta", KERNELS), ("greta-llm", LLM)):
            if not (libdir / "pkgconfig" / f"{package}.pc").exists():
                continue  # built without the bridge
            check_exports(next(libdir.glob(f"lib{package}.so.?")))
            for static in (False, True):
                check_program(package, source, static, cc, pkg_config, root, libdir)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        print(error, error.stdout, error.stderr, sep="\n")
        sys.exit(1)
