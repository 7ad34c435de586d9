/*
 * A look through a SPIR-V module before the driver sees it: drivers crash on an entry point that is not there and on
 * capabilities that they do not have.
 */
#include "vk.h"

#include <string.h>

enum { HEADER_WORDS = 5, MAGIC = 0x07230203 };
enum {
    OP_ENTRY_POINT = 15,
    OP_EXECUTION_MODE = 16,
    OP_CAPABILITY = 17,
    OP_CONSTANT = 43,
    OP_CONSTANT_COMPOSITE = 44,
    OP_SPEC_CONSTANT = 50,
    OP_SPEC_CONSTANT_COMPOSITE = 51,
    OP_FUNCTION = 54,
    OP_DECORATE = 71,
    OP_EXECUTION_MODE_ID = 331
};
enum { MODE_LOCAL_SIZE = 17, MODE_LOCAL_SIZE_ID = 38, DECORATION_SPEC_ID = 1, DECORATION_BUILT_IN = 11 };
enum { BUILT_IN_WORKGROUP_SIZE = 25 };

/* One instruction; at most those before the first function are looked at. */
struct cursor {
    const uint32_t *words;
    size_t n_words, at;
    uint32_t op, n; /* n words, the first of which is the opcode's */
    const uint32_t *w;
};

static struct cursor start(const struct greta_image *image) {
    return (struct cursor){.words = image->data, .n_words = image->size_bytes / 4, .at = HEADER_WORDS};
}

static bool next(struct cursor *c) {
    if (c->at >= c->n_words) return false;
    c->w = c->words + c->at;
    c->op = c->w[0] & 0xffff;
    c->n = c->w[0] >> 16;
    if (!c->n || c->n > c->n_words - c->at) return false;
    c->at += c->n;
    return c->op != OP_FUNCTION;
}

static bool entry_is(const struct cursor *c, const char *name) {
    if (c->op != OP_ENTRY_POINT || c->n < 4) return false;
    size_t n = strlen(name), room = (size_t)(c->n - 3) * 4;
    return n < room && !memcmp(&c->w[3], name, n + 1);
}

/* ---- capabilities -------------------------------------------------------------------------------------------------- */

static const struct {
    uint32_t capability;
    const char *name;
    size_t offset; /* of the feature that it needs */
} capabilities[] = {
#define NEEDS(number, name, member) \
    { number, name, offsetof(struct vk_features, member) }
    NEEDS(9, "Float16", v12.shaderFloat16),
    NEEDS(10, "Float64", core.features.shaderFloat64),
    NEEDS(11, "Int64", core.features.shaderInt64),
    NEEDS(12, "Int64Atomics", v12.shaderBufferInt64Atomics),
    NEEDS(22, "Int16", core.features.shaderInt16),
    NEEDS(39, "Int8", v12.shaderInt8),
    NEEDS(4433, "StorageBuffer16BitAccess", v11.storageBuffer16BitAccess),
    NEEDS(4434, "UniformAndStorageBuffer16BitAccess", v11.uniformAndStorageBuffer16BitAccess),
    NEEDS(4435, "StoragePushConstant16", v11.storagePushConstant16),
    NEEDS(4428, "WorkgroupMemoryExplicitLayoutKHR", layout.workgroupMemoryExplicitLayout),
    NEEDS(4429, "WorkgroupMemoryExplicitLayout8BitAccessKHR", layout.workgroupMemoryExplicitLayout8BitAccess),
    NEEDS(4430, "WorkgroupMemoryExplicitLayout16BitAccessKHR",
          layout.workgroupMemoryExplicitLayout16BitAccess),
    NEEDS(4441, "VariablePointersStorageBuffer", v11.variablePointersStorageBuffer),
    NEEDS(4442, "VariablePointers", v11.variablePointers),
    NEEDS(4448, "StorageBuffer8BitAccess", v12.storageBuffer8BitAccess),
    NEEDS(4449, "UniformAndStorageBuffer8BitAccess", v12.uniformAndStorageBuffer8BitAccess),
    NEEDS(4450, "StoragePushConstant8", v12.storagePushConstant8),
    NEEDS(5345, "VulkanMemoryModel", v12.vulkanMemoryModel),
    NEEDS(5346, "VulkanMemoryModelDeviceScope", v12.vulkanMemoryModelDeviceScope),
    NEEDS(5347, "PhysicalStorageBufferAddresses", v12.bufferDeviceAddress),
    NEEDS(6016, "DotProductInputAll", v13.shaderIntegerDotProduct),
    NEEDS(6017, "DotProductInput4x8Bit", v13.shaderIntegerDotProduct),
    NEEDS(6018, "DotProductInput4x8BitPacked", v13.shaderIntegerDotProduct),
    NEEDS(6019, "DotProduct", v13.shaderIntegerDotProduct),
    NEEDS(6022, "CooperativeMatrixKHR", matrix.cooperativeMatrix),
    NEEDS(5433, "CooperativeMatrixTensorAddressingNV", matrix2.cooperativeMatrixTensorAddressing),
    NEEDS(5439, "TensorAddressingNV", matrix2.cooperativeMatrixTensorAddressing),
    NEEDS(5116, "BFloat16TypeKHR", bfloat16.shaderBFloat16Type),
    NEEDS(5117, "BFloat16DotProductKHR", bfloat16.shaderBFloat16DotProduct),
    NEEDS(5118, "BFloat16CooperativeMatrixKHR", bfloat16.shaderBFloat16CooperativeMatrix),
    NEEDS(4212, "Float8EXT", float8.shaderFloat8),
    NEEDS(4213, "Float8CooperativeMatrixEXT", float8.shaderFloat8CooperativeMatrix),
#undef NEEDS
};

static const struct {
    uint32_t capability;
    VkSubgroupFeatureFlagBits op;
    const char *name;
} subgroup_capabilities[] = {
    {61, VK_SUBGROUP_FEATURE_BASIC_BIT, "GroupNonUniform"},
    {62, VK_SUBGROUP_FEATURE_VOTE_BIT, "GroupNonUniformVote"},
    {63, VK_SUBGROUP_FEATURE_ARITHMETIC_BIT, "GroupNonUniformArithmetic"},
    {64, VK_SUBGROUP_FEATURE_BALLOT_BIT, "GroupNonUniformBallot"},
    {65, VK_SUBGROUP_FEATURE_SHUFFLE_BIT, "GroupNonUniformShuffle"},
    {66, VK_SUBGROUP_FEATURE_SHUFFLE_RELATIVE_BIT, "GroupNonUniformShuffleRelative"},
    {67, VK_SUBGROUP_FEATURE_CLUSTERED_BIT, "GroupNonUniformClustered"},
    {68, VK_SUBGROUP_FEATURE_QUAD_BIT, "GroupNonUniformQuad"},
};

/* The name of the capability where the device lacks it, else NULL. One that is in no table is the driver's affair. */
static const char *lacks(const struct vk_physical *p, uint32_t capability) {
    for (size_t i = 0; i < sizeof capabilities / sizeof *capabilities; i++) {
        if (capabilities[i].capability != capability) continue;
        VkBool32 on;
        memcpy(&on, (const char *)&p->features + capabilities[i].offset, sizeof on);
        return on ? NULL : capabilities[i].name;
    }
    for (size_t i = 0; i < sizeof subgroup_capabilities / sizeof *subgroup_capabilities; i++)
        if (subgroup_capabilities[i].capability == capability)
            return p->subgroup_ops & subgroup_capabilities[i].op ? NULL : subgroup_capabilities[i].name;
    return NULL;
}

greta_status vk_spirv_check(const struct vk_device *dev, const struct greta_image *image) {
    const char *name = image->name ? image->name : "module";
    const uint32_t *words = image->data;
    if (image->size_bytes < HEADER_WORDS * 4 || image->size_bytes % 4 || (uintptr_t)words % 4 ||
        words[0] != MAGIC)
        return greta_fail(dev->base.log, GRETA_ERR_FORMAT, "vulkan: %s is not SPIR-V", name);
    struct cursor c = start(image);
    while (next(&c)) {
        const char *missing = c.op == OP_CAPABILITY && c.n == 2 ? lacks(dev->physical, c.w[1]) : NULL;
        if (missing)
            return greta_fail(dev->base.log, GRETA_ERR_UNSUPPORTED,
                              "vulkan: %s needs the capability %s, which %s lacks", name, missing,
                              dev->base.info.name);
    }
    if (c.op != OP_FUNCTION)
        return greta_fail(dev->base.log, GRETA_ERR_FORMAT,
                          "vulkan: %s is broken SPIR-V: it ends before its first function", name);
    return GRETA_OK;
}

/* ---- entry points --------------------------------------------------------------------------------------------------- */

bool vk_spirv_has_entry(const struct greta_image *image, const char *name) {
    struct cursor c = start(image);
    while (next(&c))
        if (entry_is(&c, name)) return true;
    return false;
}

/* A scalar constant's value, with the specialization; 0 where it cannot be told. */
static uint32_t value_of(const struct greta_image *image, uint32_t id, const struct greta_constant *constants,
                         uint32_t n) {
    bool has_spec = false;
    uint32_t spec_id = 0, value = 0;
    struct cursor c = start(image);
    while (next(&c)) {
        if (c.op == OP_DECORATE && c.n == 4 && c.w[1] == id && c.w[2] == DECORATION_SPEC_ID) {
            has_spec = true;
            spec_id = c.w[3];
        }
        if ((c.op == OP_CONSTANT || c.op == OP_SPEC_CONSTANT) && c.n == 4 && c.w[2] == id) value = c.w[3];
    }
    for (uint32_t i = 0; has_spec && i < n; i++)
        if (constants[i].id == spec_id) value = constants[i].value;
    return value;
}

uint32_t vk_spirv_group_x(const struct greta_image *image, const char *name,
                          const struct greta_constant *constants, uint32_t n_constants) {
    uint32_t entry = 0, size = 0, id = 0, built_in = 0;
    struct cursor c = start(image);
    while (next(&c)) {
        if (entry_is(&c, name)) entry = c.w[2];
        if (c.op == OP_EXECUTION_MODE && c.n == 6 && c.w[1] == entry && c.w[2] == MODE_LOCAL_SIZE)
            size = c.w[3];
        if (c.op == OP_EXECUTION_MODE_ID && c.n == 6 && c.w[1] == entry && c.w[2] == MODE_LOCAL_SIZE_ID)
            id = c.w[3];
        if (c.op == OP_DECORATE && c.n == 4 && c.w[2] == DECORATION_BUILT_IN &&
            c.w[3] == BUILT_IN_WORKGROUP_SIZE)
            built_in = c.w[1]; /* it goes before the execution mode's size */
        if ((c.op == OP_CONSTANT_COMPOSITE || c.op == OP_SPEC_CONSTANT_COMPOSITE) && c.n == 6 && built_in &&
            c.w[2] == built_in)
            id = c.w[3];
    }
    return id ? value_of(image, id, constants, n_constants) : size;
}
