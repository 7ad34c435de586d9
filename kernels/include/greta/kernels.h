/*
 * gcore-kernels: operations with written contracts (op_args.h), the table of their variants, and the choice among them.
 *
 * A call names an op, its buffers in the order of the op's X-macro, its scalars and its keys. A plan chooses a row for it
 * and records it on a stream. Nothing here knows a model.
 */
#ifndef GRETA_KERNELS_H
#define GRETA_KERNELS_H

#include <greta/op_args.h>
#include <greta/rt.h>

#ifdef __cplusplus
extern "C" {
#endif

enum greta_op {
#define GRETA_OP_ENUM(NAME, name) GRETA_OP_##NAME,
    GRETA_OP_LIST(GRETA_OP_ENUM)
#undef GRETA_OP_ENUM
        GRETA_N_OPS
};

/* ---- types and layouts ------------------------------------------------------------------------------------------ */

struct greta_type_info {
    const char *name; /* "Q4_K" */
    uint32_t type, ggml_type;
    uint32_t block_elements, block_bytes; /* as in a GGUF file */
    bool quantized;
};
/* NULL where the type is none of GRETA_TYPE_*. */
GRETA_API const struct greta_type_info *greta_type_get_info(uint32_t type);
/* The type with this ggml number, or NULL where it is not supported. */
GRETA_API const struct greta_type_info *greta_type_from_ggml(uint32_t ggml_type);

/* How a weight's bytes lie: ROWS: row after row of blocks, as in the file. PACKED: planes, see layout.h; all GPU rows read it. */
enum greta_layout { GRETA_LAYOUT_ROWS, GRETA_LAYOUT_PACKED, GRETA_N_LAYOUTS };

/* Bytes of an n_rows x n_cols weight in a layout; 0 where the type has no such layout or the size overflows. */
GRETA_API uint64_t greta_layout_bytes(enum greta_layout layout, uint32_t type, uint64_t n_rows, uint64_t n_cols);
/*
 * Packs rows [row_begin, row_end) of a weight of n_rows x n_cols from file order (`src`: row_begin's first byte) into the
 * whole tensor's memory `dst`; several threads may pack disjoint ranges. greta_layout_unpack is its inverse (for tests).
 */
GRETA_API GRETA_MUST_USE greta_status greta_layout_pack(enum greta_layout layout, uint32_t type, uint64_t n_rows, uint64_t n_cols,
                                                        uint64_t row_begin, uint64_t row_end, const void *src, void *dst);
GRETA_API GRETA_MUST_USE greta_status greta_layout_unpack(enum greta_layout layout, uint32_t type, uint64_t n_rows, uint64_t n_cols,
                                                          uint64_t row_begin, uint64_t row_end, const void *src, void *dst);
/*
 * For the types without a PACKED layout (GRETA_TYPE_IS_PACKED): packs rows as those of a PACKED weight of type F16,
 * rounded to nearest even, within 65504.
 */
GRETA_API GRETA_MUST_USE greta_status greta_layout_pack_f16(uint32_t type, uint64_t n_rows, uint64_t n_cols,
                                                            uint64_t row_begin, uint64_t row_end,
                                                            const void *src, void *dst);
/*
 * Where rows [row_begin, row_end) of a weight lie in its layout: the number of runs, at most GRETA_LAYOUT_MAX_RUNS, in ascending order.
 * The last rows' runs take the padding behind them along. Rows from a multiple of 16 on lie as the rows of a weight of their own do:
 * the runs of rows [b, e) of n, and of rows [0, e - b) of e - b, have the same bytes, where b is a multiple of 16 and e is another or n.
 */
enum { GRETA_LAYOUT_MAX_RUNS = 4 };
struct greta_layout_run {
    uint64_t offset_bytes, size_bytes;
};
GRETA_API uint32_t greta_layout_runs(enum greta_layout layout, uint32_t type, uint64_t n_rows, uint64_t n_cols,
                                     uint64_t row_begin, uint64_t row_end,
                                     struct greta_layout_run runs[GRETA_LAYOUT_MAX_RUNS]);
/* Bytes of one row of activations of type Q8A (GRETA_TYPE_F32: n_cols * 4). */
GRETA_API uint64_t greta_activation_row_bytes(uint32_t x_type, uint64_t n_cols);

/* ---- calls ------------------------------------------------------------------------------------------------------- */

enum { GRETA_OP_MAX_BINDINGS = 12, GRETA_OP_MAX_SCALARS = 8, GRETA_OP_MAX_KEYS = 8 };

/* One struct of scalars per op, from its X-macro: struct greta_scalars_matvec { uint32_t n_rows, n_cols; } */
#define GRETA_NOTHING(name)
#define GRETA_MEMBER_U32(name) uint32_t name;
#define GRETA_MEMBER_F32(name) float name;
#define GRETA_OP_SCALARS(NAME, lname)                                                                        \
    struct greta_scalars_##lname {                                                                           \
        GRETA_ARGS_##NAME(GRETA_NOTHING, GRETA_NOTHING, GRETA_NOTHING, GRETA_MEMBER_U32, GRETA_MEMBER_F32)   \
    };
GRETA_OP_LIST(GRETA_OP_SCALARS)
#undef GRETA_OP_SCALARS

union greta_scalars {
#define GRETA_OP_UNION(NAME, lname) struct greta_scalars_##lname lname;
    GRETA_OP_LIST(GRETA_OP_UNION)
#undef GRETA_OP_UNION
    uint32_t u32[GRETA_OP_MAX_SCALARS];
};

struct greta_call {
    enum greta_op op;
    struct greta_binding bindings[GRETA_OP_MAX_BINDINGS]; /* in the op's order; .access is filled from the op */
    union greta_scalars scalars;
    uint32_t keys[GRETA_OP_MAX_KEYS]; /* in the op's order */
    enum greta_layout layout;         /* of the weight, for ops that read one; a row that reads another is ERR_INVALID */
};

/* What is known of an op from its X-macro, as data. */
struct greta_op_info {
    const char *name; /* "matvec" */
    uint32_t n_bindings, n_scalars, n_keys;
    const char *binding_names[GRETA_OP_MAX_BINDINGS], *scalar_names[GRETA_OP_MAX_SCALARS], *key_names[GRETA_OP_MAX_KEYS];
    enum greta_access access[GRETA_OP_MAX_BINDINGS];
    bool scalar_is_f32[GRETA_OP_MAX_SCALARS];
};
GRETA_API const struct greta_op_info *greta_op_get_info(enum greta_op op);
/* Bytes that a binding of the call must have at least; UINT64_MAX where the product overflows or a type does not fit. What
 * depends on the step block (the table of rope) counts as if pos were 0. */
GRETA_API uint64_t greta_op_binding_bytes(const struct greta_call *call, uint32_t i_binding);

/* ---- variants ---------------------------------------------------------------------------------------------------- */

struct greta_variant;
/* The table's rows, in order of preference for each op; those of every backend that is built in. */
GRETA_API uint32_t greta_variant_count(void);
GRETA_API const struct greta_variant *greta_variant_at(uint32_t i_variant);
GRETA_API const char *greta_variant_name(const struct greta_variant *variant); /* "matvec_subgroup" */
GRETA_API enum greta_op greta_variant_op(const struct greta_variant *variant);
/* The code that it is made from; rows may share it. */
GRETA_API const struct greta_image *greta_variant_image(const struct greta_variant *variant);
GRETA_API enum greta_image_format greta_variant_format(const struct greta_variant *variant);
/* NULL where the row serves this call on a device with these limits; else the condition that fails, in words. */
GRETA_API const char *greta_variant_refusal(const struct greta_variant *variant, const struct greta_limits *limits,
                                            const struct greta_call *call);

/* How many sets of constants the tuner may try for a row; set 0 is the row's own. */
GRETA_API uint32_t greta_variant_n_instances(const struct greta_variant *variant);

/* ---- plans ------------------------------------------------------------------------------------------------------- */

/* DEFAULT: the fastest rows within the documented tolerances. EXACT: f32 activations and f32 accumulation throughout. */
enum greta_policy { GRETA_POLICY_DEFAULT, GRETA_POLICY_EXACT };

struct greta_plan_params {
    enum greta_policy policy;
    /* NULL: none. Asked once for each shape that is new to the plan, on any thread: gives the row that was measured to be best, as
     * `force` names it, or false. A row that does not serve the call, or whose name is unknown, is passed over. */
    bool (*tuned)(void *user, const struct greta_call *call, char *row, size_t size);
    void *tuned_user;
    const char *force; /* "matmul=matmul_simple,attn=attn_simple": rows by name; also $GRETA_FORCE. A row whose condition fails is ERR_INVALID */
};

struct greta_plan;
/* Thread-safe but for destroy. The dev must outlive it. */
GRETA_API GRETA_MUST_USE greta_status greta_plan_create(struct greta_dev *dev, const struct greta_plan_params *params,
                                                        struct greta_plan **out);
GRETA_API void greta_plan_destroy(struct greta_plan **plan);
/* The layout in which this device's rows read weights of a type. ERR_UNSUPPORTED where no row reads the type. */
GRETA_API GRETA_MUST_USE greta_status greta_plan_weight_layout(struct greta_plan *plan, uint32_t type, enum greta_layout *out);
/* The activation type (F32 or Q8A) that the plan wants matvec (n_tok 1) or matmul to read for such a weight. */
GRETA_API uint32_t greta_plan_x_type(struct greta_plan *plan, uint32_t w_type, uint32_t n_tok, uint32_t n_rows, uint32_t n_cols);
/* Whether decode attention is to be split over the KV length (attn_split + attn_reduce) rather than attn. */
GRETA_API bool greta_plan_split_attn(struct greta_plan *plan, uint32_t head_dim, uint32_t n_ctx);
/*
 * Whether a quantized weight is best unpacked (op unpack) for a matmul of n_tok tokens, which then reads it as F16 in the same layout. Its
 * w_type and x_type are then those of greta_plan_x_type for F16.
 */
GRETA_API bool greta_plan_unpacks(struct greta_plan *plan, uint32_t w_type, uint32_t n_tok, uint32_t n_rows, uint32_t n_cols);
/*
 * Into how many pieces the columns of a matvec call are best cut: 1, or n_split for matvec_split, where the call alone would leave
 * compute units idle. Bindings may be empty. greta_matvec_split_call makes that call of it.
 */
GRETA_API uint32_t greta_plan_split_matvec(struct greta_plan *plan, const struct greta_call *matvec);
GRETA_API struct greta_call greta_matvec_split_call(const struct greta_call *matvec, uint32_t n_split, struct greta_binding counters,
                                                     struct greta_binding parts);
/*
 * Whether a fused call (rope_kv, matvec_glu, matvec_qkv, a norm in one of these, a residual in matvec) is to take the place of the ops that it is made
 * of: a row admits the call, and none of those ops is forced (unless the fused one is, too). Bindings may be empty.
 */
GRETA_API bool greta_plan_fuses(struct greta_plan *plan, const struct greta_call *call);
/* The row for a call: forced, or the first that admits it. ERR_UNSUPPORTED, with the op, shape and reasons, where none does. */
GRETA_API GRETA_MUST_USE greta_status greta_plan_choose(struct greta_plan *plan, const struct greta_call *call,
                                                        const struct greta_variant **out);
/* The row with one of its sets of constants, named "matvec_wide:threads=128:rows=4:steps=2"; the plan keeps it. ERR_NOT_FOUND
 * past the last, ERR_NO_MEMORY. */
GRETA_API GRETA_MUST_USE greta_status greta_plan_instance(struct greta_plan *plan, const struct greta_variant *variant, uint32_t i_instance,
                                                          const struct greta_variant **out);
/* Builds the kernels of these calls, in parallel; optional: greta_op_record builds what is missing. */
GRETA_API GRETA_MUST_USE greta_status greta_plan_prepare(struct greta_plan *plan, const struct greta_call *calls, uint32_t n_calls);
/* The same for one call by several rows; a row whose kernel cannot be built fails when it is recorded. */
GRETA_API void greta_plan_prepare_variants(struct greta_plan *plan, const struct greta_call *call,
                                           const struct greta_variant *const *variants, uint32_t n_variants);
/* Chooses (kept) and records one dispatch. No allocation once a shape has been seen. */
GRETA_API GRETA_MUST_USE greta_status greta_op_record(struct greta_plan *plan, struct greta_stream *stream, const struct greta_call *call);
/* Records a call by a given row: for tests, benches and the tuner. */
GRETA_API GRETA_MUST_USE greta_status greta_op_record_variant(struct greta_plan *plan, struct greta_stream *stream,
                                                              const struct greta_variant *variant, const struct greta_call *call);

#ifdef __cplusplus
}
#endif
#endif
