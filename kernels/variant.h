/* Rows of the variant table. Inside kernels/ only; a row file gives an array and its length. */
#ifndef KERNELS_VARIANT_H
#define KERNELS_VARIANT_H

#include <greta/kernels.h>

enum { VARIANT_EXACT = 1, /* f32 activations, f32 accumulation: serves GRETA_POLICY_EXACT */
       VARIANT_FORCED_ONLY = 2 /* never chosen, only by name (kernelcheck, benches) */ };

enum { VARIANT_MAX_TUNABLES = 10, VARIANT_MAX_VALUES = 8 };

/* A constant that the tuner may set, and to what; 0 ends the values. i_tunable: its place, or the workgroup's size. */
#define VARIANT_PARAM_THREADS UINT32_MAX
struct variant_param {
    const char *name;
    uint32_t i_tunable, values[VARIANT_MAX_VALUES];
};

/* What a call may want besides the plain op, by its keys and scalars; a row names what it serves (`extras`). */
enum {
    EXTRA_NORM = 1,      /* norm 1 */
    EXTRA_ADD = 2,       /* add 1 */
    EXTRA_BIAS = 4,      /* bias 1 */
    EXTRA_HALVES = 8,    /* matvec_qkv: mode 1 */
    EXTRA_V_TYPE = 16,   /* v_type other than w_type */
    EXTRA_KV_Q8_0 = 32,  /* kv_type Q8_0 */
    EXTRA_WINDOW = 64,   /* window > 0 */
    EXTRA_SOFTCAP = 128, /* softcap > 0 */
    EXTRA_GELU = 256     /* act GELU */
};

/*
 * A kernel is made with the constants 0: n_threads, 1 ..: the op's keys in order, then the tunables. In SPIR-V these are the
 * ids of specialization constants, and the keys w_type and v_type come as FORMAT (variant_key_constant). A host row has no
 * constant 0: group->constants[0] is its first key. A key of keys_by_call is 0 there: one kernel serves all its values, and its
 * argument block has the call's value behind the op's scalars, in the order of the keys.
 */

struct greta_variant {
    const char *name;
    enum greta_op op;
    enum greta_image_format format;
    const struct greta_image *image; /* the module; rows may share one */
    const char *entry;               /* "main" in SPIR-V */
    uint32_t flags;
    uint32_t n_threads;  /* workgroup size: specialization constant 0; not used by host rows */
    uint32_t subgroup_size; /* that the kernel is made with; 0: it serves any */
    uint32_t w_types;    /* bit mask of 1 << GRETA_TYPE_* of weights that it reads; 0: the op has none */
    uint32_t extras;     /* EXTRA_*: what it serves of them */
    uint32_t x_type;     /* of activations, for matvec and matmul */
    uint32_t keys_by_call; /* bit mask of 1 << i_key: see above */
    enum greta_layout layout;
    uint32_t n_tunables; /* constants that follow the op's keys: ids 1 + n_keys, ... */
    uint32_t tunables[VARIANT_MAX_TUNABLES];
    uint32_t n_params; /* what of it the tuner may change; `refusal` is asked about every combination */
    const struct variant_param *params;
    /* What the row rounds its operands to before the product, as a relative error: 0x1p-11 for f16, 0x1p-8 for bf16; 0: it
     * does not. Only the error bound of tests reads it. */
    double operand_eps;
    /* NULL: no further condition than layout, types and threads, which are checked before. Bindings may be empty (buf NULL):
     * then only shapes are asked about; an offset's alignment is to be judged where there is a buf. Returns NULL where the row serves the call, else the failing condition in words. */
    const char *(*refusal)(const struct greta_variant *v, const struct greta_limits *limits, const struct greta_call *call);
    /* Why the plan had better take another row that serves the call, too, in words: conditions of speed alone. NULL: never. Asked
     * only where `refusal` gave NULL; not asked of a row that is named. */
    const char *(*unwise)(const struct greta_variant *v, const struct greta_limits *limits, const struct greta_call *call);
    /* How many groups, linear; 0: nothing to do. Folding into y past limits.max_groups[0] is the caller's. */
    uint64_t (*n_groups)(const struct greta_variant *v, const struct greta_limits *limits, const struct greta_call *call);
};

/* instance.c: the row with its i-th set of constants, unnamed; i below greta_variant_n_instances. */
void variant_instance(const struct greta_variant *row, uint32_t i_instance, struct greta_variant *out);
/* What the row's kernel is told of key i_key: its value, or, in SPIR-V, the FORMAT of a weight's type; 0 where the call says it. */
uint32_t variant_key_constant(const struct greta_variant *v, uint32_t i_key, uint32_t value);

/* The place of a key among an op's, or UINT32_MAX where the op has none of this name. */
uint32_t op_find_key(enum greta_op op, const char *name);
/* EXTRA_*: what this call wants. */
uint32_t op_extras(const struct greta_call *call);

struct variant_rows {
    const struct greta_variant *rows;
    uint32_t n;
};

/* One function per row file; NULL-row sets where a backend is not built in. */
struct variant_rows variant_rows_cpu(void);
struct variant_rows variant_rows_cpu_dense(void);
struct variant_rows variant_rows_vulkan(void);
struct variant_rows variant_rows_vulkan_dot8(void);
struct variant_rows variant_rows_vulkan_lanes(void);
struct variant_rows variant_rows_vulkan_matmul(void);
struct variant_rows variant_rows_vulkan_attn(void);
struct variant_rows variant_rows_vulkan_norms(void);
struct variant_rows variant_rows_vulkan_gemm(void);
struct variant_rows variant_rows_hip_mfma(void);
struct variant_rows variant_rows_hip_wmma(void);
struct variant_rows variant_rows_hip(void);

#endif
