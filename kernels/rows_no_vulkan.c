/* In place of rows_vulkan*.c where the Vulkan backend is not built. */
#include "variant.h"

struct variant_rows variant_rows_vulkan(void) {
    return (struct variant_rows){NULL, 0};
}
struct variant_rows variant_rows_vulkan_dot8(void) {
    return (struct variant_rows){NULL, 0};
}
struct variant_rows variant_rows_vulkan_lanes(void) {
    return (struct variant_rows){NULL, 0};
}
struct variant_rows variant_rows_vulkan_matmul(void) {
    return (struct variant_rows){NULL, 0};
}
struct variant_rows variant_rows_vulkan_attn(void) {
    return (struct variant_rows){NULL, 0};
}
struct variant_rows variant_rows_vulkan_norms(void) {
    return (struct variant_rows){NULL, 0};
}
struct variant_rows variant_rows_vulkan_gemm(void) {
    return (struct variant_rows){NULL, 0};
}
