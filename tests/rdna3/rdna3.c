/*
 * Compiles every row of the Vulkan variant table, with every set of constants in use, at wave32 and wave64, by RADV for a
 * gfx1103 that is not there (RADV_FORCE_FAMILY), and compares what the driver tells of the code with a kept table.
 * usage: rdna3 TABLE.tsv matrix|vector [--update] [--isa ROW]
 * matrix: the rows that ask for a matrix unit; vector: all others. --isa: the assembly of a row's kernels, and no table.
 * Nothing is allocated on the device, and it is not closed: the null device crashes at either.
 */
#include "rdna3.h"

#include "variant.h"
#include "vk.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SKIP = 77, MAX_THREADS = 16, MAX_IMAGES = 128, MAX_STATISTICS = 32, MAX_TEXTS = 16 };

/* One kernel to compile, and what came of it. */
struct job {
    const struct greta_variant *v;
    uint32_t keys[GRETA_OP_MAX_KEYS];
    struct rdna3_row row;
    bool good;
};

struct run {
    struct greta_log log;
    void *instance;
    struct vk_device *dev;
    PFN_vkGetPipelineExecutableInternalRepresentationsKHR get_texts;
    struct {
        const struct greta_image *image;
        struct hal_module *module;
    } images[MAX_IMAGES];
    uint32_t n_images, n_jobs, capacity;
    struct job *jobs;
    atomic_uint next;
    const char *isa_of; /* NULL: none is printed */
};

static void say(void *user, enum greta_log_level level, const char *message) {
    (void)user, (void)level;
    fprintf(stderr, "%s\n", message);
}

/* ---- the list of kernels ---- */

static bool is_matrix_row(const struct greta_variant *v) {
    return strstr(v->name, "coopmat") != NULL;
}

/* The types that values have beside queries and keys of a type: its own, and what llama.cpp's mixes (Q4_K_M and the like) give them. */
static uint32_t v_type(uint32_t w_type, uint32_t i) {
    static const struct {
        uint32_t w, v;
    } mixes[] = {{GRETA_TYPE_Q2_K, GRETA_TYPE_Q3_K},  {GRETA_TYPE_Q2_K, GRETA_TYPE_Q4_K},
                 {GRETA_TYPE_Q3_K, GRETA_TYPE_Q4_K},  {GRETA_TYPE_Q3_K, GRETA_TYPE_Q5_K},
                 {GRETA_TYPE_Q4_K, GRETA_TYPE_Q5_K},  {GRETA_TYPE_Q4_K, GRETA_TYPE_Q6_K},
                 {GRETA_TYPE_Q5_K, GRETA_TYPE_Q6_K},  {GRETA_TYPE_IQ4_NL, GRETA_TYPE_Q5_K},
                 {GRETA_TYPE_IQ4_XS, GRETA_TYPE_Q5_K}};
    if (i-- == 0) return w_type;
    for (size_t m = 0; m < sizeof mixes / sizeof *mixes; m++)
        if (mixes[m].w == w_type && i-- == 0) return mixes[m].v;
    return UINT32_MAX;
}

/* The value number i of a key that is in use, or UINT32_MAX past the last; `before` are the values of the keys before it. */
static uint32_t key_value(const struct greta_variant *v, const char *key, const uint32_t *before,
                          uint32_t i) {
    static const uint32_t floats[] = {GRETA_TYPE_F32, GRETA_TYPE_F16, GRETA_TYPE_BF16};
    static const uint32_t heads[] = {64, 96, 128, 256},
                          n_heads = sizeof heads / sizeof *heads; /* as models have them */
    if (!strcmp(key, "w_type")) {
        for (uint32_t type = 0; type < GRETA_N_WEIGHT_TYPES; type++)
            if (v->w_types & 1U << type && i-- == 0) return type;
        return UINT32_MAX;
    }
    if (!strcmp(key, "x_type") && v->w_types) return i ? UINT32_MAX : v->x_type;
    if (!strcmp(key, "x_type") || !strcmp(key, "y_type")) return i < 3 ? floats[i] : UINT32_MAX;
    if (!strcmp(key, "v_type")) return v_type(before[0], i); /* the second key, after w_type */
    if (!strcmp(key, "type")) return i < 3 ? floats[i] : i == 3 ? GRETA_TYPE_I8 : UINT32_MAX;
    if (!strcmp(key, "kv_type"))
        return i < 2 ? floats[i] : i == 2 && v->extras & EXTRA_KV_Q8_0 ? GRETA_TYPE_Q8_0 : UINT32_MAX;
    if (!strcmp(key, "head_dim")) return i < n_heads ? heads[i] : UINT32_MAX;
    static const char *const switches[] = {"norm", "bias", "mode", "add", "act", "a_order", "b_order"};
    for (size_t k = 0; k < sizeof switches / sizeof *switches; k++)
        if (!strcmp(key, switches[k])) return i < 2 ? i : UINT32_MAX;
    fprintf(stderr, "rdna3: no values are known of the key %s: give some in key_value\n", key);
    exit(1);
}

struct shape {
    uint32_t n_tok, n_ctx, n_head_kv;
};

/* An aligned call of the row's op: shapes of a 7 B model. */
static struct greta_call typical_call(const struct greta_variant *v, const uint32_t *keys,
                                      const struct shape *shape) {
    const struct {
        const char *name;
        uint32_t value;
    } sizes[] = {{"n_tok", shape->n_tok}, {"n_ctx", shape->n_ctx}, {"n_head_kv", shape->n_head_kv},
                 {"n_rows", 4096},        {"n_cols", 4096},        {"n_head", 32},
                 {"n_split", 4},          {"head_dim", 128},       {"n_rot", 128},
                 {"window", 0},           {"softcap", 0}};
    const struct greta_op_info *info = greta_op_get_info(v->op);
    struct greta_call call = {.op = v->op, .layout = v->layout};
    memcpy(call.keys, keys, sizeof call.keys);
    for (uint32_t s = 0; s < info->n_scalars; s++) {
        call.scalars.u32[s] = 1;
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            if (!strcmp(info->scalar_names[s], sizes[i].name)) call.scalars.u32[s] = sizes[i].value;
    }
    if (v->op == GRETA_OP_GEMM) call.scalars.gemm = (struct greta_scalars_gemm){4096, 4096, 4096};
    return call;
}

/*
 * Of switches that go together, what models have on this GPU. A decode step norms inside its first matrices, except in models that norm
 * what a half of a layer gives, too (gemma2); biases and norms of heads are of models with mode 1.
 */
static const struct model_switches {
    enum greta_op op;
    bool large; /* all models of this kind have 2,048 columns or more */
    uint32_t n;
    struct {
        const char *key;
        uint32_t value;
    } keys[3];
} model_switches[] = {
    {GRETA_OP_MATVEC_QKV, false, 3, {{"mode", 0}, {"norm", 1}, {"bias", 0}}}, /* llama */
    {GRETA_OP_MATVEC_QKV, false, 3, {{"mode", 1}, {"norm", 1}, {"bias", 1}}}, /* qwen2 */
    {GRETA_OP_MATVEC_QKV, true, 3, {{"mode", 1}, {"norm", 1}, {"bias", 0}}},  /* phi3; gemma2's first layer */
    {GRETA_OP_MATVEC_QKV, true, 3, {{"mode", 1}, {"norm", 0}, {"bias", 0}}},  /* gemma2 */
    {GRETA_OP_MATVEC_GLU, false, 2, {{"act", GRETA_ACT_SILU}, {"norm", 1}}},  /* all others */
    {GRETA_OP_MATVEC_GLU, false, 2, {{"act", GRETA_ACT_GELU}, {"norm", 0}}},  /* gemma2 */
    {GRETA_OP_ROPE_KV, false, 3, {{"mode", 0}, {"norm", 0}, {"bias", 0}}},    /* llama */
    {GRETA_OP_ROPE_KV, false, 3, {{"mode", 1}, {"norm", 0}, {"bias", 0}}},    /* phi3, gemma2 */
    {GRETA_OP_ROPE_KV, false, 3, {{"mode", 1}, {"norm", 0}, {"bias", 1}}},    /* qwen2 */
    {GRETA_OP_ROPE_KV, false, 3, {{"mode", 1}, {"norm", 1}, {"bias", 0}}},    /* qwen3 */
};

static bool has_switches(const struct model_switches *m, const uint32_t *keys) {
    for (uint32_t i = 0; i < m->n; i++)
        if (keys[op_find_key(m->op, m->keys[i].key)] != m->keys[i].value) return false;
    return true;
}

/* The row that a plan takes for it where none is forced or tuned. */
static const struct greta_variant *taken(const struct greta_limits *limits, const struct greta_call *call) {
    for (uint32_t i = 0; i < greta_variant_count(); i++) {
        const struct greta_variant *v = greta_variant_at(i);
        if (v->op == call->op && v->format == GRETA_IMAGE_SPIRV && !(v->flags & VARIANT_FORCED_ONLY) &&
            !greta_variant_refusal(v, limits, call) && !(v->unwise && v->unwise(v, limits, call)))
            return v;
    }
    return NULL;
}

/* Whether a model has these values beside each other, and what is large goes by this row. */
static bool in_use(const struct run *r, const struct greta_variant *v, const uint32_t *keys) {
    const struct shape one = {1, 256, 8};
    const struct greta_call call = typical_call(v, keys, &one);
    bool any = true;
    for (size_t i = 0; i < sizeof model_switches / sizeof *model_switches; i++) {
        const struct model_switches *m = &model_switches[i];
        if (m->op != v->op) continue;
        if (has_switches(m, keys)) return !m->large || taken(&r->dev->base.limits, &call) == v;
        any = false;
    }
    return any;
}

/* What an unforced plan says against the row where it would take it on a device that is a CPU, else NULL. */
static const char *only_for_cpus(const struct greta_variant *v, const struct greta_limits *limits,
                                 const struct greta_call *call) {
    struct greta_limits cpu = *limits;
    cpu.is_cpu = true;
    return v->unwise && !v->unwise(v, &cpu, call) ? v->unwise(v, limits, call) : NULL;
}

/* NULL where the row admits one of the shapes that rows are made for, else what it says of the first. */
static const char *refusal(const struct run *r, const struct greta_variant *v, const uint32_t *keys) {
    static const struct shape shapes[] = {{512, 1024, 8}, {512, 1024, 32}, {1, 256, 8}, {1, 256, 32}};
    const char *first = NULL;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct greta_call call = typical_call(v, keys, &shapes[i]);
        const char *why = greta_variant_refusal(v, &r->dev->base.limits, &call);
        if (!why) why = only_for_cpus(v, &r->dev->base.limits, &call);
        if (!why) return NULL;
        if (!first) first = why;
    }
    return first;
}

static void describe(struct job *j) {
    const struct greta_op_info *info = greta_op_get_info(j->v->op);
    char *out = j->row.constants;
    size_t size = sizeof j->row.constants,
           used = (size_t)snprintf(out, size, "threads=%" PRIu32, j->v->n_threads);
    for (uint32_t k = 0; k < info->n_keys && used < size; k++) {
        const struct greta_type_info *type =
            strstr(info->key_names[k], "type") ? greta_type_get_info(j->keys[k]) : NULL;
        used +=
            type ? (size_t)snprintf(out + used, size - used, " %s=%s", info->key_names[k], type->name)
                 : (size_t)snprintf(out + used, size - used, " %s=%" PRIu32, info->key_names[k], j->keys[k]);
    }
    for (uint32_t t = 0; t < j->v->n_tunables && used < size; t++)
        used += (size_t)snprintf(out + used, size - used, t ? ",%" PRIu32 : " tunables=%" PRIu32,
                                 j->v->tunables[t]);
}

static bool add_job(struct run *r, const struct greta_variant *v, const uint32_t *keys, uint32_t wave) {
    if (r->n_jobs == r->capacity) {
        r->capacity = r->capacity ? 2 * r->capacity : 256;
        struct job *jobs = realloc(r->jobs, r->capacity * sizeof *jobs);
        if (!jobs) return false;
        r->jobs = jobs;
    }
    struct job *j = &r->jobs[r->n_jobs++];
    *j = (struct job){.v = v};
    memcpy(j->keys, keys, sizeof j->keys);
    snprintf(j->row.name, sizeof j->row.name, "%s", v->name);
    j->row.wave = wave;
    describe(j);
    return true;
}

/* Every product of the keys' values from key k on. */
static bool add_keys(struct run *r, const struct greta_variant *v, uint32_t *keys, uint32_t k) {
    const struct greta_op_info *info = greta_op_get_info(v->op);
    if (k < info->n_keys && k < GRETA_OP_MAX_KEYS) {
        for (uint32_t i = 0; (keys[k] = key_value(v, info->key_names[k], keys, i)) != UINT32_MAX; i++)
            if (!add_keys(r, v, keys, k + 1)) return false;
        return true;
    }
    if (!in_use(r, v, keys)) return true;
    const char *why = refusal(r, v, keys);
    if (why) {
        printf("left out: %s: %s\n", v->name, why);
        return true;
    }
    for (uint32_t wave = 32; wave <= 64; wave += 32)
        if ((!v->subgroup_size || v->subgroup_size == wave) && !add_job(r, v, keys, wave)) return false;
    return true;
}

static bool list_jobs(struct run *r, bool matrix) {
    for (uint32_t i = 0; i < greta_variant_count(); i++) {
        const struct greta_variant *v = greta_variant_at(i);
        uint32_t keys[GRETA_OP_MAX_KEYS] = {0};
        if (v->format != GRETA_IMAGE_SPIRV || is_matrix_row(v) != matrix) continue;
        if (r->isa_of && strcmp(r->isa_of, v->name) != 0) continue;
        if (!add_keys(r, v, keys, 0)) return false;
    }
    return true;
}

static struct vk_module *find_module(const struct run *r, const struct greta_image *image) {
    for (uint32_t i = 0; i < r->n_images; i++)
        if (r->images[i].image == image) return (struct vk_module *)r->images[i].module;
    return NULL;
}

static bool load_modules(struct run *r) {
    for (uint32_t i = 0; i < r->n_jobs; i++) {
        const struct greta_image *image = r->jobs[i].v->image;
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
static VkResult make_pipeline(struct run *r, const struct job *j, VkPipeline *out) {
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
        .flags = VK_PIPELINE_CREATE_CAPTURE_STATISTICS_BIT_KHR |
                 VK_PIPELINE_CREATE_CAPTURE_INTERNAL_REPRESENTATIONS_BIT_KHR,
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

static bool use_text(const struct run *r, struct job *j, const char *text) {
    if (r->isa_of)
        printf("== %s (%s, wave%" PRIu32 ")\n%s\n", j->row.name, j->row.constants, j->row.wave, text);
    return rdna3_read_isa(text, &j->row.f);
}

/* Asked twice: for the sizes, then for the texts. */
static bool read_assembly(struct run *r, const VkPipelineExecutableInfoKHR *which, struct job *j) {
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

static bool compile(struct run *r, struct job *j) {
    VkPipeline pipeline = VK_NULL_HANDLE;
    VkResult result = make_pipeline(r, j, &pipeline);
    if (result != VK_SUCCESS) {
        fprintf(stderr, "rdna3: %s (%s, wave%" PRIu32 "): vkCreateComputePipelines: %s\n", j->row.name,
                j->row.constants, j->row.wave, vk_result_name(result));
        return false;
    }
    const VkPipelineExecutableInfoKHR which = {.sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INFO_KHR,
                                               .pipeline = pipeline};
    bool good = read_statistics(r, &which, &j->row.f) && read_assembly(r, &which, j);
    if (!good)
        fprintf(stderr,
                "rdna3: %s (%s, wave%" PRIu32 "): the driver does not tell its registers or its assembly\n",
                j->row.name, j->row.constants, j->row.wave);
    r->dev->fn.DestroyPipeline(r->dev->handle, pipeline, NULL);
    return good;
}

static void *work(void *user) {
    struct run *r = user;
    for (uint32_t i; (i = atomic_fetch_add(&r->next, 1)) < r->n_jobs;)
        r->jobs[i].good = compile(r, &r->jobs[i]);
    return NULL;
}

static bool compile_all(struct run *r) {
    pthread_t threads[MAX_THREADS];
    long n_cores = sysconf(_SC_NPROCESSORS_ONLN);
    int n_threads = 0, n_more = r->isa_of || n_cores < 1 ? 0
                                : n_cores > MAX_THREADS  ? MAX_THREADS
                                                         : (int)n_cores - 1;
    while (n_threads < n_more && !pthread_create(&threads[n_threads], NULL, work, r)) n_threads++;
    work(r);
    for (int i = 0; i < n_threads; i++) pthread_join(threads[i], NULL);
    for (uint32_t i = 0; i < r->n_jobs; i++)
        if (!r->jobs[i].good) return false;
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
    *out = (struct rdna3_table){.rows = calloc(r->n_jobs + 1, sizeof *out->rows), .n = r->n_jobs};
    if (!out->rows) return false;
    snprintf(out->driver, sizeof out->driver, "%.95s", r->dev->base.info.driver);
    for (uint32_t i = 0; i < r->n_jobs; i++) out->rows[i] = r->jobs[i].row;
    rdna3_sort(out);
    return true;
}

static int update(const struct rdna3_table *now, const char *path) {
    FILE *file = fopen(path, "w");
    bool good = file && rdna3_write(now, file);
    if (file && fclose(file)) good = false;
    if (!good) return fprintf(stderr, "rdna3: cannot write %s\n", path), 1;
    uint32_t n_scratch = 0;
    for (uint32_t i = 0; i < now->n; i++)
        if (now->rows[i].f.scratch)
            n_scratch++, printf("scratch: %s (%s, wave%" PRIu32 "): %" PRIu32 " bytes\n", now->rows[i].name,
                                now->rows[i].constants, now->rows[i].wave, now->rows[i].f.scratch);
    printf("%s: %" PRIu32 " rows, %" PRIu32 " with scratch\n", path, now->n, n_scratch);
    return 0;
}

static int compare(const struct rdna3_table *now, const char *path) {
    struct rdna3_table kept;
    if (!rdna3_read(path, &kept)) return 1;
    int status = 0;
    if (strcmp(kept.driver, now->driver) != 0) {
        printf("skipped: this driver is %s, and the table was made with %s\n", now->driver, kept.driver);
        status = SKIP;
    } else {
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

static int run_all(struct run *r, const char *path, bool matrix, bool is_update) {
    struct rdna3_table now;
    int status = open_device(r);
    if (status) return status;
    if (!list_jobs(r, matrix) || !load_modules(r)) return 1;
    if (!r->n_jobs) return printf("skipped: this driver admits no row\n"), SKIP;
    if (!compile_all(r)) return 1;
    if (r->isa_of) return 0;
    if (!gather(r, &now)) return 1;
    status = is_update ? update(&now, path) : compare(&now, path);
    free(now.rows);
    return status;
}

int main(int argc, char **argv) {
    struct run r = {0};
    bool is_update = argc == 4 && !strcmp(argv[3], "--update");
    if (argc == 5 && !strcmp(argv[3], "--isa")) r.isa_of = argv[4];
    if (argc < 3 || (argc > 3 && !is_update && !r.isa_of) ||
        (strcmp(argv[2], "matrix") && strcmp(argv[2], "vector")))
        return fprintf(stderr, "usage: rdna3 TABLE.tsv matrix|vector [--update | --isa ROW]\n"), 2;
    int status = run_all(&r, argv[1], !strcmp(argv[2], "matrix"), is_update);
    /* Mesa 22.3.6's null device crashes when it is destroyed: it goes with the process. */
    free(r.jobs);
    return status;
}
