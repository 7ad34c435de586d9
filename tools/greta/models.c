#include "models.h"

#define HF(repository, file) "https://huggingface.co/" repository "/resolve/main/" file

const struct named_model named_models[] = {
    {"smollm2-135m", HF("bartowski/SmolLM2-135M-Instruct-GGUF", "SmolLM2-135M-Instruct-Q8_0.gguf"),
     "SmolLM2 135M Instruct, Q8_0, 0.1 GB"},
    {"smollm2-1.7b", HF("bartowski/SmolLM2-1.7B-Instruct-GGUF", "SmolLM2-1.7B-Instruct-Q4_K_M.gguf"),
     "SmolLM2 1.7B Instruct, Q4_K_M, 1.1 GB"},
    {"tinyllama", HF("TheBloke/TinyLlama-1.1B-Chat-v1.0-GGUF", "tinyllama-1.1b-chat-v1.0.Q4_K_M.gguf"),
     "TinyLlama 1.1B Chat, Q4_K_M, 0.7 GB"},
    {"llama-2-7b", HF("TheBloke/Llama-2-7B-GGUF", "llama-2-7b.Q4_K_M.gguf"), "Llama 2 7B, Q4_K_M, 4.1 GB"},
    {"llama-2-7b-chat", HF("TheBloke/Llama-2-7B-Chat-GGUF", "llama-2-7b-chat.Q4_K_M.gguf"),
     "Llama 2 7B Chat, Q4_K_M, 4.1 GB"},
    {"mistral-7b-instruct",
     HF("TheBloke/Mistral-7B-Instruct-v0.2-GGUF", "mistral-7b-instruct-v0.2.Q4_K_M.gguf"),
     "Mistral 7B Instruct v0.2, Q4_K_M, 4.4 GB"},
    {0},
};
