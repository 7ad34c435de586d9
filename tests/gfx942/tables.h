// The files that contribute rows to the table of operations (wave.h, GFX_TABLE).
#ifndef GFX942_TABLES_H
#define GFX942_TABLES_H

#define GFX_MACHINE_TABLES(X) X(salu) X(control) X(lds) X(vmem)

// Compiled for any x86-64 and for x86-64-v3.
#define GFX_VECTOR_TABLES(X) \
    X(mfma)                  \
    X(valu_cmp) X(valu_cvt) X(valu_f16) X(valu_f32) X(valu_f64) X(valu_int) X(valu_lane) X(valu_packed)

#endif
