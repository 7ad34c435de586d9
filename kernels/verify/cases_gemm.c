/* The cases of GEMM. */
#include "verify.h"

#define N(a) (sizeof(a) / sizeof *(a))

void kc_cases_gemm(kc_case_fn *fn, void *user) {
    static const uint32_t shapes[][3] = {{1, 1, 1},    {5, 7, 3},      {33, 17, 43},  {64, 64, 64},
                                         {16, 8, 256}, {65, 130, 100}, {128, 160, 96}};
    static const uint32_t types[] = {GRETA_TYPE_F32, GRETA_TYPE_F16, GRETA_TYPE_BF16, GRETA_TYPE_I8,
                                     GRETA_TYPE_FP8};
    for (unsigned t = 0; t < N(types); t++)
        for (uint32_t orders = 0; orders < 4; orders++)
            for (unsigned i = 0; i <= N(shapes); i++) {
                struct kc_case c = {
                    .call = {.op = GRETA_OP_GEMM, .keys = {types[t], orders / 2, orders % 2}}};
                c.large = i == N(shapes);
                const uint32_t *shape = c.large ? (const uint32_t[]){520, 776, 320} : shapes[i];
                c.call.scalars.gemm = (struct greta_scalars_gemm){shape[0], shape[1], shape[2]};
                c.style = i % 2 ? KC_OUTLIERS : KC_NORMAL;
                fn(user, &c);
                c.style = KC_INTEGERS;
                c.place = i % 2 ? KC_ALIGNED : KC_UNALIGNED;
                if (!c.large) fn(user, &c);
            }
    /* Several of the largest tiles, cut at all edges; whole in k, and not. */
    static const uint32_t wide[][3] = {{260, 456, 144}, {130, 439, 128}};
    for (unsigned t = 0; t < N(types); t++)
        for (unsigned i = 0; i < N(wide); i++) {
            struct kc_case c = {
                .call = {.op = GRETA_OP_GEMM, .keys = {types[t], GRETA_ORDER_ROW, GRETA_ORDER_COL}}};
            c.call.scalars.gemm = (struct greta_scalars_gemm){wide[i][0], wide[i][1], wide[i][2]};
            c.style = i ? KC_INTEGERS : KC_NORMAL;
            fn(user, &c);
        }
    /* Longer than a row takes of k at once; sums of 8-bit integers that f32 does not hold. */
    static const uint32_t deep[][3] = {{5, 36, 1312}, {7, 33, 1301}};
    for (unsigned t = 0; t < N(types); t++)
        for (uint32_t orders = 0; orders < 4; orders++)
            for (unsigned i = 0; i < N(deep); i++) {
                struct kc_case c = {
                    .call = {.op = GRETA_OP_GEMM, .keys = {types[t], orders / 2, orders % 2}}};
                c.call.scalars.gemm = (struct greta_scalars_gemm){deep[i][0], deep[i][1], deep[i][2]};
                c.style = types[t] == GRETA_TYPE_I8 ? KC_SPECIAL : KC_OUTLIERS;
                fn(user, &c);
            }
}
