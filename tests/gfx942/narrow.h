// What a load of less than a word makes of a register, for LDS and memory.
#ifndef GFX942_NARROW_H
#define GFX942_NARROW_H

#include <stdint.h>
#include <string.h>

enum narrow { WORDS, U8, I8, U16, I16, D16_U8, D16_I8, D16, D16HI_U8, D16HI_I8, D16HI };

static inline uint32_t narrow_load(enum narrow n, const uint8_t *p, uint32_t old) {
    uint16_t h = 0;
    if (n == U16 || n == I16 || n == D16 || n == D16HI) memcpy(&h, p, 2);
    switch (n) {
    case U8: return *p;
    case I8: return (uint32_t)(int8_t)*p;
    case U16: return h;
    case I16: return (uint32_t)(int16_t)h;
    case D16_U8: return (old & 0xffff0000) | *p;
    case D16_I8: return (old & 0xffff0000) | (uint16_t)(int8_t)*p;
    case D16: return (old & 0xffff0000) | h;
    case D16HI_U8: return (old & 0xffff) | (uint32_t)*p << 16;
    case D16HI_I8: return (old & 0xffff) | (uint32_t)(uint16_t)(int8_t)*p << 16;
    default: return (old & 0xffff) | (uint32_t)h << 16;
    }
}

#endif
