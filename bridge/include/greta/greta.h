/* All of GRETA CORE: runtime, kernels, files, tokenizers, chat templates, language models. */
#ifndef GRETA_GRETA_H
#define GRETA_GRETA_H

#include <greta/rt.h>
#include <greta/kernels.h>
#include <greta/gguf.h>
#include <greta/tokenizer.h>
#include <greta/chat.h>
#include <greta/llm.h>

#endif
