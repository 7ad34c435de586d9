/*
 * The product of four signed bytes with four signed bytes, added up: OpSDot of Vulkan 1.3, which GLSL's extension for it writes
 * too, but only newer compilers know that one.
 */
#ifndef SHADERS_DOT4_GLSL
#define SHADERS_DOT4_GLSL

#extension GL_EXT_spirv_intrinsics : require

/* 6019, 6018: DotProduct, DotProductInput4x8BitPacked; format 0: PackedVectorFormat4x8Bit. */
spirv_instruction(extensions = ["SPV_KHR_integer_dot_product"], capabilities = [6019, 6018], id = 4450)
int packed_dot(uint a, uint b, spirv_literal int format);

int dot4(uint a, uint b) { return packed_dot(a, b, 0); }

#endif
