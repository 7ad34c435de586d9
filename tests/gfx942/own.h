// Arguments for the project's own kernels (own.c).
#ifndef GFX942_OWN_H
#define GFX942_OWN_H

enum { OWN_ARGS = 24, OWN_TEXT = 32 };

// Texts as --arg takes them; their number, 0 where the kernel is none of ours. args: OWN_ARGS + 2 of them.
unsigned own_args(const char *kernel, char args[][OWN_TEXT]);

#endif
