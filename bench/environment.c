#include "results.h"

#include "clocks.h"
#include "revision.h"

#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

/* The first line of a file that has `name` before a colon, without it; or the file's first line where name is NULL. */
static bool read_line(const char *path, const char *name, char *out, size_t size) {
    FILE *file = fopen(path, "r");
    char line[512];
    bool found = false;
    while (file && !found && fgets(line, sizeof line, file)) {
        const char *value = line, *colon = strchr(line, ':');
        if (name && (strncmp(line, name, strlen(name)) != 0 || !colon)) continue;
        if (name)
            for (value = colon + 1; *value == ' ';) value++;
        snprintf(out, size, "%.*s", (int)strcspn(value, "\n"), value);
        found = true;
    }
    if (file) fclose(file);
    return found;
}

static json_t *host_json(void) {
    struct utsname u;
    char cpu[256] = "", mhz[64] = "";
    bool known = uname(&u) == 0;
    read_line("/proc/cpuinfo", "model name", cpu, sizeof cpu);
    json_t *host = json_pack("{ss ss ss}", "cpu", cpu, "kernel", known ? u.release : "", "machine",
                             known ? u.machine : "");
    if (host && read_line("/proc/cpuinfo", "cpu MHz", mhz, sizeof mhz)) {
        double value = 0;
        if (sscanf(mhz, "%lf", &value) == 1) json_object_set_new(host, "cpu_mhz", json_real(value));
    }
    return host;
}

static json_t *device_json(struct greta_dev *dev) {
    static const char *const types[] = {"other", "cpu", "integrated", "discrete"};
    const struct greta_dev_info *info = greta_dev_get_info(dev);
    const struct greta_limits *limits = greta_dev_get_limits(dev);
    json_t *device = json_pack("{ss ss ss ss ss sI si sb}", "name", info->name, "backend", info->backend,
                               "arch", info->arch, "driver", info->driver, "type",
                               (unsigned)info->type < 4 ? types[info->type] : "other", "memory_bytes",
                               (json_int_t)info->memory_bytes, "compute_units", (int)limits->n_compute_units,
                               "emulated", limits->is_emulated);
    if (!device) return NULL;
    if (*info->pci) json_object_set_new(device, "pci", json_string(info->pci));
    clocks_add(device, info->pci);
    return device;
}

/* Those that take part in what is measured, as they are found when it runs. */
static json_t *libraries_json(void) {
    json_t *libraries = json_pack("{ss}", "jansson", jansson_version_str());
#ifdef __GLIBC__
    if (libraries) json_object_set_new(libraries, "libc", json_string(gnu_get_libc_version()));
#endif
    return libraries;
}

json_t *environment_make(struct greta_dev *dev, uint64_t seed) {
    char date[32];
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &utc);
    json_t *host = host_json(), *device = device_json(dev), *libraries = libraries_json();
    if (!host || !device || !libraries) {
        json_decref(host);
        json_decref(device);
        json_decref(libraries);
        return NULL;
    }
    return json_pack("{ss sI ss ss ss ss so so so}", "date", date, "seed", (json_int_t)seed, "version",
                     GRETA_VERSION, "revision", GRETA_REVISION, "compiler", GRETA_COMPILER, "device_compiler",
                     GRETA_DEVICE_COMPILER, "libraries", libraries, "host", host, "device", device);
}
