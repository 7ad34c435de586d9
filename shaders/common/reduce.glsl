/* Sums and maxima over a workgroup, in an order fixed by the device's subgroup size; every invocation gets the result. */
#ifndef SHADERS_REDUCE_GLSL
#define SHADERS_REDUCE_GLSL

shared float reduce_partials[gl_WorkGroupSize.x / SUBGROUP_MIN];

float workgroup_add(float x) {
    float part = subgroupAdd(x);
    if (gl_NumSubgroups == 1) return part;
    barrier(); /* of a reduction before this one */
    if (subgroupElect()) reduce_partials[gl_SubgroupID] = part;
    barrier();
    float sum = 0.0;
    for (uint i = 0; i < gl_NumSubgroups; i++) sum += reduce_partials[i];
    return sum;
}

float workgroup_max(float x) {
    float part = subgroupMax(x);
    if (gl_NumSubgroups == 1) return part;
    barrier();
    if (subgroupElect()) reduce_partials[gl_SubgroupID] = part;
    barrier();
    float result = reduce_partials[0];
    for (uint i = 1; i < gl_NumSubgroups; i++) result = max(result, reduce_partials[i]);
    return result;
}

#endif
