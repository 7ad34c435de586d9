/* Models that `greta pull` knows by name, with their public addresses. */
#ifndef GRETA_MODELS_H
#define GRETA_MODELS_H

struct named_model {
    const char *name, *url, *what;
};

/* Ended by a row without a name. No checksum stands here: the server names it, and `--sha256` takes yours. */
extern const struct named_model named_models[];

#endif
