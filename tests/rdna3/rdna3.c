/*
 * Compiles every row of the Vulkan variant table, with every set of constants in use, at wave32 and wave64, by RADV for a
 * gfx1103 that is not there (RADV_FORCE_FAMILY), and compares what the driver tells of the code with a kept table.
 * usage: rdna3 TABLE.tsv matrix|vector [--update | --isa ROW | --sets [TYPE...] | --edge [TYPE...]]
 * matrix: the rows that ask for a matrix unit; vector: all others. --isa: the assembly of a row's kernels, and no table.
 * --sets: every set of constants that the tuner may give a row, for weights of the types named (all); none may have scratch. --edge: of
 * these the largest that the rows admit. Both are for the table's driver.
 * Nothing is allocated on the device, and it is not closed: the null device crashes at either.
 */
#include "list.h"

#include "vk.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SKIP = 77, MAX_THREADS = 16, MAX_IMAGES = 128, MAX_STATISTICS = 32, MAX_TEXTS = 16 };

struct run {
    struct greta_log log;
    void *instance;
    struct vk_device *dev;
    PFN_vkGetPipelineExecutableInternalRepresentationsKHR get_texts;
    struct {
        const struct greta_image *image;
        struct hal_module *module;
    } images[MAX_IMAGES];
    uint32_t n_images;
    struct rdna3_list list;
    atomic_uint next;
    bool print_isa;
};

static void say(void *user, enum greta_log_level level, const char *message) {
    (void)user, (void)level;
    fprintf(stderr, "%s\n", message);
}

static struct vk_module *find_module(const struct run *r, const struct greta_image *image) {
    for (uint32_t i = 0; i < r->n_images; i++)
        if (r->images[i].image == image) return (struct vk_module *)r->images[i].module;
    return NULL;
}

static bool load_modules(struct run *r) {
    for (uint32_t i = 0; i < r->list.n; i++) {
        const struct greta_image *image = r->list.jobs[i].v->image;
        if (find_module(r, image)) continue;
        if (r->n_images == MAX_IMAGES) return false;
        r->images[r->n_images].image = image;
        if (vk_module_load(&r->dev->base, image, &r->images[r->n_images].module)) return false;
        r->n_images++;
    }
    return true;
}

/* ---- one kernel ---- */

/* As backends/vulkan/module.c makes it, and with its assembly kept. */
static VkResult make_pipeline(struct run *r, const struct rdna3_job *j, VkPipeline *out) {
    uint32_t values[1 + GRETA_OP_MAX_KEYS + VARIANT_MAX_TUNABLES] = {j->v->n_threads}, n = 1;
    VkSpecializationMapEntry entries[sizeof values / sizeof *values];
    for (uint32_t i = 0; i < greta_op_get_info(j->v->op)->n_keys; i++)
        values[n++] = variant_key_constant(j->v, i, j->keys[i]);
    for (uint32_t i = 0; i < j->v->n_tunables; i++) values[n++] = j->v->tunables[i];
    for (uint32_t i = 0; i < n; i++) entries[i] = (VkSpecializationMapEntry){i, 4 * i, 4};
    const VkSpecializationInfo constants = {n, entries, n * sizeof *values, values};
    const VkPipelineShaderStageRequiredSubgroupSizeCreateInfo wave = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO,
        .requiredSubgroupSize = j->row.wave};
    const VkComputePipelineCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .flags =
            VK_PIPELINE_CREATE_CAPTURE_STATISTICS_BIT_KHR |
            (r->list.sets == RDNA3_OWN ? VK_PIPELINE_CREATE_CAPTURE_INTERNAL_REPRESENTATIONS_BIT_KHR : 0),
        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .pNext = &wave,
                  .flags = j->v->n_threads % j->row.wave
                               ? 0
                               : VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                  .module = find_module(r, j->v->image)->handle,
                  .pName = j->v->entry,
                  .pSpecializationInfo = &constants},
        .layout = r->dev->layout};
    return r->dev->fn.CreateComputePipelines(r->dev->handle, VK_NULL_HANDLE, 1, &info, NULL, out);
}

static bool read_statistics(struct run *r, const VkPipelineExecutableInfoKHR *which,
                            struct rdna3_figures *f) {
    const struct {
        const char *name;
        uint32_t *value;
    } wanted[] = {{"VGPRs", &f->vgprs},  {"SGPRs", &f->sgprs},          {"Scratch size", &f->scratch},
                  {"LDS size", &f->lds}, {"Code size", &f->code_bytes}, {"Subgroups per SIMD", &f->waves}};
    VkPipelineExecutableStatisticKHR list[MAX_STATISTICS];
    uint32_t n = MAX_STATISTICS, n_found = 0, n_wanted = sizeof wanted / sizeof *wanted;
    for (uint32_t i = 0; i < n; i++)
        list[i] =
            (VkPipelineExecutableStatisticKHR){.sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_STATISTIC_KHR};
    if (r->dev->fn.GetPipelineExecutableStatisticsKHR(r->dev->handle, which, &n, list) < 0) return false;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t w = 0; w < n_wanted; w++)
            if (!strcmp(list[i].name, wanted[w].name))
                *wanted[w].value = (uint32_t)list[i].value.u64, n_found++;
    return n_found == n_wanted;
}

static bool use_text(const struct run *r, struct rdna3_job *j, const char *text) {
    if (r->print_isa)
        printf("== %s (%s, wave%" PRIu32 ")\n%s\n", j->row.name, j->row.constants, j->row.wave, text);
    return rdna3_read_isa(text, &j->row.f);
}

/* Asked twice: for the sizes, then for the texts. */
static bool read_assembly(struct run *r, const VkPipelineExecutableInfoKHR *which, struct rdna3_job *j) {
    VkPipelineExecutableInternalRepresentationKHR list[MAX_TEXTS];
    uint32_t n = MAX_TEXTS;
    bool good = false;
    for (uint32_t i = 0; i < n; i++)
        list[i] = (VkPipelineExecutableInternalRepresentationKHR){
            .sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INTERNAL_REPRESENTATION_KHR};
    if (r->get_texts(r->dev->handle, which, &n, list) < 0) return false;
    for (uint32_t i = 0; i < n; i++) list[i].pData = calloc(1, list[i].dataSize + 1);
    if (r->get_texts(r->dev->handle, which, &n, list) >= 0)
        for (uint32_t i = 0; i < n; i++)
            if (!strcmp(list[i].name, "Assembly") && list[i].pData) good = use_text(r, j, list[i].pData);
    for (uint32_t i = 0; i < n; i++) free(list[i].pData);
    return good;
}

static bool compile(struct run *r, struct rdna3_job *j) {
    VkPipeline pipeline = VK_NULL_HANDLE;
    VkResult result = make_pipeline(r, j, &pipeline);
    if (result != VK_SUCCESS) {
        fprintf(stderr, "rdna3: %s (%s, wave%" PRIu32 "): vkCreateComputePipelines: %s\n", j->row.name,
                j->row.constants, j->row.wave, vk_result_name(result));
        return false;
    }
    const VkPipelineExecutableInfoKHR which = {.sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INFO_KHR,
                                               .pipeline = pipeline};
    bool good =
        read_statistics(r, &which, &j->row.f) && (r->list.sets != RDNA3_OWN || read_assembly(r, &which, j));
    if (!good)
        fprintf(stderr,
                "rdna3: %s (%s, wave%" PRIu32 "): the driver does not tell its registers or its assembly\n",
                j->row.name, j->row.constants, j->row.wave);
    r->dev->fn.DestroyPipeline(r->dev->handle, pipeline, NULL);
    return good;
}

static void *work(void *user) {
    struct run *r = user;
    for (uint32_t i; (i = atomic_fetch_add(&r->next, 1)) < r->list.n;)
        r->list.jobs[i].good = compile(r, &r->list.jobs[i]);
    return NULL;
}

static bool compile_all(struct run *r) {
    pthread_t threads[MAX_THREADS];
    long n_cores = sysconf(_SC_NPROCESSORS_ONLN);
    int n_threads = 0, n_more = r->print_isa || n_cores < 1 ? 0
                                : n_cores > MAX_THREADS     ? MAX_THREADS
                                                            : (int)n_cores - 1;
    while (n_threads < n_more && !pthread_create(&threads[n_threads], NULL, work, r)) n_threads++;
    work(r);
    for (int i = 0; i < n_threads; i++) pthread_join(threads[i], NULL);
    for (uint32_t i = 0; i < r->list.n; i++)
        if (!r->list.jobs[i].good) return false;
    return true;
}

/* ---- the program ---- */

/* 0, or SKIP with the reason said. */
static int open_device(struct run *r) {
    const struct hal_open_params params = {.log = &r->log};
    struct hal_dev *dev = NULL;
    r->log = (struct greta_log){.fn = say, .max_level = GRETA_LOG_WARN};
    if (vk_backend.open(&params, &r->instance) != GRETA_OK ||
        vk_backend.dev_open(r->instance, 0, &dev) != GRETA_OK) {
        printf("skipped: no Vulkan device: is Mesa's radeon driver installed, and RADV_FORCE_FAMILY set?\n");
        return SKIP;
    }
    r->dev = vk_device(dev);
    const struct vk_physical *p = r->dev->physical;
    PFN_vkVoidFunction get_texts = r->dev->instance->fn.GetDeviceProcAddr(
        r->dev->handle, "vkGetPipelineExecutableInternalRepresentationsKHR");
    memcpy(&r->get_texts, &get_texts, sizeof get_texts);
    if (strcmp(dev->info.arch, "gfx1103") != 0 || p->driver_id != VK_DRIVER_ID_MESA_RADV ||
        !p->quirks.no_memory || !p->features.executable.pipelineExecutableInfo || !r->get_texts) {
        printf("skipped: %s (%s) is not RADV's null device of a gfx1103: set RADV_FORCE_FAMILY\n",
               dev->info.name, dev->info.driver);
        return SKIP;
    }
    return 0;
}

static bool gather(const struct run *r, struct rdna3_table *out) {
    *out = (struct rdna3_table){.rows = calloc(r->list.n + 1, sizeof *out->rows), .n = r->list.n};
    if (!out->rows) return false;
    snprintf(out->driver, sizeof out->driver, "%.95s", r->dev->base.info.driver);
    for (uint32_t i = 0; i < r->list.n; i++) out->rows[i] = r->list.jobs[i].row;
    rdna3_sort(out);
    return true;
}

static uint32_t say_scratch(const struct rdna3_table *now) {
    uint32_t n_scratch = 0;
    for (uint32_t i = 0; i < now->n; i++)
        if (now->rows[i].f.scratch)
            n_scratch++, printf("scratch: %s (%s, wave%" PRIu32 "): %" PRIu32 " bytes\n", now->rows[i].name,
                                now->rows[i].constants, now->rows[i].wave, now->rows[i].f.scratch);
    return n_scratch;
}

static int update(const struct rdna3_table *now, const char *path) {
    FILE *file = fopen(path, "w");
    bool good = file && rdna3_write(now, file);
    if (file && fclose(file)) good = false;
    if (!good) return fprintf(stderr, "rdna3: cannot write %s\n", path), 1;
    uint32_t n_scratch = say_scratch(now);
    printf("%s: %" PRIu32 " rows, %" PRIu32 " with scratch\n", path, now->n, n_scratch);
    return 0;
}

/* 0, or SKIP with the reason said: figures of another driver are others. */
static int same_driver(const struct run *r, const struct rdna3_table *kept) {
    const char *driver = r->dev->base.info.driver;
    if (!strncmp(kept->driver, driver, sizeof kept->driver - 1)) return 0;
    printf("skipped: this driver is %s, and the table was made with %s\n", driver, kept->driver);
    return SKIP;
}

static int compare(const struct run *r, const struct rdna3_table *now, const char *path) {
    struct rdna3_table kept;
    if (!rdna3_read(path, &kept)) return 1;
    int status = same_driver(r, &kept);
    if (!status) {
        rdna3_sort(&kept);
        uint32_t n_bad = rdna3_compare(&kept, now);
        printf("%" PRIu32 " kernels compiled for gfx1103, %" PRIu32 " differ from %s\n", now->n, n_bad, path);
        if (n_bad)
            printf("If that is meant, run scripts/rdna3_update.py BUILD_DIR and commit the table with the "
                   "reason.\n");
        status = n_bad > 0;
    }
    free(kept.rows);
    return status;
}

/* Asked before there is anything compiled. */
static int is_for_driver(const struct run *r, const char *path) {
    struct rdna3_table kept;
    if (!rdna3_read(path, &kept)) return 1;
    int status = same_driver(r, &kept);
    free(kept.rows);
    return status;
}

static int judge_sets(const struct run *r, const struct rdna3_table *now) {
    uint32_t n_scratch = say_scratch(now);
    printf("%" PRIu32 " kernels compiled for gfx1103, %" PRIu32 " with scratch; %" PRIu32
           " sets of constants are refused\n",
           now->n, n_scratch, r->list.n_refused);
    if (n_scratch)
        printf("What keeps too much in registers a row is to refuse: vulkan_loads_fit in "
               "kernels/rows_vulkan.h.\n");
    return n_scratch > 0;
}

static int run_all(struct run *r, const char *path, bool is_update) {
    struct rdna3_table now;
    int status = open_device(r);
    if (!status && r->list.sets != RDNA3_OWN) status = is_for_driver(r, path);
    if (status) return status;
    r->list.limits = &r->dev->base.limits;
    if (!rdna3_list_make(&r->list) || !load_modules(r)) return 1;
    if (!r->list.n) return printf("skipped: this driver admits no row\n"), SKIP;
    if (!compile_all(r)) return 1;
    if (r->print_isa) return 0;
    if (!gather(r, &now)) return 1;
    status = r->list.sets != RDNA3_OWN ? judge_sets(r, &now)
             : is_update               ? update(&now, path)
                                       : compare(r, &now, path);
    free(now.rows);
    return status;
}

static bool read_types(char **names, int n, uint32_t *types) {
    *types = n ? 0 : UINT32_MAX;
    for (int i = 0; i < n; i++) {
        uint32_t type = 0;
        while (type < GRETA_N_WEIGHT_TYPES && strcmp(greta_type_get_info(type)->name, names[i]) != 0) type++;
        if (type == GRETA_N_WEIGHT_TYPES)
            return fprintf(stderr, "rdna3: %s is no type of weights\n", names[i]), false;
        *types |= 1U << type;
    }
    return true;
}

static bool read_arguments(int argc, char **argv, struct run *r, bool *is_update) {
    const char *what = argc > 3 ? argv[3] : "";
    r->list.w_types = UINT32_MAX;
    if (argc < 3 || (strcmp(argv[2], "matrix") && strcmp(argv[2], "vector"))) return false;
    r->list.matrix = !strcmp(argv[2], "matrix");
    *is_update = !strcmp(what, "--update");
    r->print_isa = !strcmp(what, "--isa");
    r->list.sets = !strcmp(what, "--sets") ? RDNA3_ALL : !strcmp(what, "--edge") ? RDNA3_EDGE : RDNA3_OWN;
    if (r->list.sets != RDNA3_OWN) return read_types(argv + 4, argc - 4, &r->list.w_types);
    if (r->print_isa && argc == 5) r->list.only_row = argv[4];
    return r->print_isa ? argc == 5 : argc == 3 + *is_update;
}

int main(int argc, char **argv) {
    struct run r = {0};
    bool is_update;
    if (!read_arguments(argc, argv, &r, &is_update))
        return fprintf(stderr, "usage: rdna3 TABLE.tsv matrix|vector [--update | --isa ROW | --sets "
                               "[TYPE...] | --edge [TYPE...]]\n"),
               2;
    int status = run_all(&r, argv[1], is_update);
    /* Mesa 22.3.6's null device crashes when it is destroyed: it goes with the process. */
    rdna3_list_free(&r.list);
    return status;
}
