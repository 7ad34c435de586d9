/* What the files of Vulkan rows share. */
#ifndef KERNELS_ROWS_VULKAN_H
#define KERNELS_ROWS_VULKAN_H

#include "rows_gpu.h"

/* Types with a PACKED layout, all of which shaders decode. */
enum { VULKAN_WEIGHTS = WEIGHT_PACKED };

#define GROUPS(name, count)                                                                \
    static uint64_t name(const struct greta_variant *v, const struct greta_limits *limits, \
                         const struct greta_call *call) {                                  \
        const union greta_scalars *s = &call->scalars;                                     \
        (void)v, (void)limits, (void)s;                                                    \
        return count;                                                                      \
    }

/* ---- rows_vulkan.c: conditions of several files ---- */

extern const char vulkan_no_16bit[];
const char *vulkan_needs_16bit(const struct greta_variant *v, const struct greta_limits *limits,
                               const struct greta_call *call);
/* Of an op whose first binding is a weight. */
const char *vulkan_weight_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                  const struct greta_call *call);
/*
 * Whether what an invocation has under way stays in its registers: a chunk of each row and step, of packed weights of `type`, x_words of x
 * for each step, and a sum for each row. What does not goes to memory and back in every step, which no set of constants is worth.
 */
bool vulkan_loads_fit(uint32_t type, uint32_t n_rows, uint32_t n_steps, uint32_t x_words);
extern const char vulkan_many_loads[];
/* How many words such a chunk takes. */
uint32_t vulkan_chunk_words(uint32_t type);
/* The same of rows for matrix units, whose sums are limited, too, where the device keeps few: n_words of loads under way. */
bool vulkan_matrix_loads_fit(const struct greta_limits *limits, uint32_t n_words);
/* Whether the device multiplies matrices of m, n, k = mnk of `component` (GRETA_COMPONENT_*) with f32 sums. */
const char *vulkan_unit_refusal(const struct greta_limits *limits, const uint32_t mnk[3], uint8_t component);

/* ---- rows ---- */

#define PLAIN_ROW_X(op_, name_, extras_, threads_, groups_, refusal_)                                     \
    {                                                                                                     \
        .name = #name_, .op = GRETA_OP_##op_, .format = GRETA_IMAGE_SPIRV, .image = &greta_spirv_##name_, \
        .entry = "main", .flags = VARIANT_EXACT, .n_threads = threads_, .n_groups = groups_,              \
        .layout = GRETA_LAYOUT_PACKED, .extras = extras_, .refusal = refusal_                             \
    }
#define PLAIN_ROW(op_, name_, threads_, groups_, refusal_) \
    PLAIN_ROW_X(op_, name_, 0, threads_, groups_, refusal_)
#define WEIGHT_ROW(op_, name_, threads_, groups_)                                                         \
    {                                                                                                     \
        .name = #name_, .op = GRETA_OP_##op_, .format = GRETA_IMAGE_SPIRV, .image = &greta_spirv_##name_, \
        .entry = "main", .flags = VARIANT_EXACT, .n_threads = threads_, .n_groups = groups_,              \
        .layout = GRETA_LAYOUT_PACKED, .w_types = VULKAN_WEIGHTS, .x_type = GRETA_TYPE_F32,               \
        .refusal = vulkan_weight_refusal                                                                  \
    }
/* What the tuner may set: an array of struct variant_param. */
#define PARAMS(of) .n_params = sizeof(of) / sizeof *(of), .params = of

#endif
