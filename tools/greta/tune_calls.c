/* Which calls are to be tuned. */
#include "tune.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct greta_call without_buffers(const struct greta_call *call) {
    struct greta_call out = *call;
    memset(out.bindings, 0, sizeof out.bindings);
    return out;
}

static struct tune_job *job_add(struct tune_jobs *jobs) {
    if (jobs->n == jobs->capacity) {
        uint32_t capacity = jobs->capacity ? 2 * jobs->capacity : 64;
        struct tune_job *grown = realloc(jobs->at, capacity * sizeof *grown);
        jobs->failed |= !grown;
        if (!grown) return NULL;
        jobs->at = grown;
        jobs->capacity = capacity;
    }
    jobs->at[jobs->n] = (struct tune_job){.share = 0};
    return &jobs->at[jobs->n++];
}

/* ---- of a model ---- */

struct collector {
    struct app *app;
    const struct tune_request *q;
    struct tune_jobs *jobs;
    uint32_t n_tok, n_kv;
    double part; /* of all that the user will wait for, by this kind of step */
};

/* What the call costs at the least, in what is nearly microseconds on a large GPU: only shares are taken of it. */
static double cost_of(const struct greta_call *call) {
    const struct greta_op_info *info = greta_op_get_info(call->op);
    double bytes = 0, n_tok = call->op == GRETA_OP_MATMUL ? call->scalars.matmul.n_tok : 1;
    for (uint32_t i = 0; i < info->n_bindings; i++) {
        uint64_t n = greta_op_binding_bytes(call, i);
        if (n != UINT64_MAX && call->op != GRETA_OP_ROW_LOOKUP) bytes += (double)n;
    }
    return 3 + bytes * 0.25e-6 * fmax(1, n_tok / 100);
}

static bool is_known(const struct collector *c, const struct greta_call *call, uint32_t *at) {
    struct greta_tune_key key, other;
    enum greta_policy policy = c->q->common.plan ? GRETA_POLICY_EXACT : GRETA_POLICY_DEFAULT;
    greta_tune_key_make(c->app->dev, call, policy, &key);
    for (*at = 0; *at < c->jobs->n; ++*at) {
        if (c->jobs->at[*at].call.call.op != call->op) continue;
        greta_tune_key_make(c->app->dev, &c->jobs->at[*at].call.call, policy, &other);
        if (memcmp(&key, &other, sizeof key) == 0) return true;
    }
    return false;
}

static void collect(void *user, const struct greta_call *call) {
    struct collector *c = user;
    struct greta_call own = without_buffers(call);
    uint32_t at;
    if (!is_known(c, &own, &at)) {
        struct tune_job *job = job_add(c->jobs);
        if (!job) return;
        /* In decode a graph serves from half of its positions to all of them. */
        uint32_t pos = c->n_tok > 1 ? 0 : c->n_kv * 3 / 4;
        *job = (struct tune_job){.call = {own, {0, pos, pos + c->n_tok, 0}}, .n_tok = c->n_tok};
    }
    c->jobs->at[at].share += c->part * cost_of(&own);
}

static bool each_call(struct collector *c, uint32_t n_tok, uint32_t n_kv, double part) {
    c->n_tok = n_tok;
    c->n_kv = n_kv;
    c->part = part;
    return greta_session_each_call(c->app->session, n_tok, n_kv, collect, c) == GRETA_OK;
}

/* Decode first, then long prompts before short ones: the budget may not last for all. */
bool tune_calls_of_model(struct app *app, const struct tune_request *q, struct tune_jobs *out) {
    struct collector c = {.app = app, .q = q, .jobs = out};
    uint32_t n_ctx = greta_session_n_ctx(app->session),
             n_chunk = greta_session_get_stats(app->session).n_chunk, n_kv = 1, top = 2;
    bool ok = true;
    while (n_kv < GRETA_ATTN_CHUNK && n_kv < n_ctx)
        n_kv = n_ctx < GRETA_ATTN_CHUNK ? n_ctx : GRETA_ATTN_CHUNK;
    for (uint32_t bucket = n_kv; ok && bucket < n_ctx; bucket *= 2) ok = each_call(&c, 1, bucket, 1);
    ok = ok && each_call(&c, 1, n_ctx, 1);
    while (top < n_chunk) top *= 2;
    for (uint32_t bucket = top; ok && bucket > 1 && n_chunk > 1; bucket = bucket > 16 ? bucket / 2 : 0) {
        uint32_t most = bucket < n_chunk ? bucket : n_chunk, least = bucket > 16 ? bucket / 2 + 1 : 2;
        ok = each_call(&c, most, most, bucket >= 256 ? 0.1 : 0.02);
        /* Numbers of elements have buckets of their own: those of fewer tokens, too. */
        for (; ok && least < most; least *= 2) ok = each_call(&c, least, least, 0);
    }
    if (out->failed) say("no memory");
    return ok && !out->failed;
}

struct asker {
    struct greta_tune_lookups *lookups;
};

static void ask(void *user, const struct greta_call *call) {
    struct asker *a = user;
    char row[GRETA_TUNE_TEXT];
    (void)greta_tune_lookup(a->lookups, call, row, sizeof row);
}

void tune_ask(struct app *app, uint32_t n, struct greta_tune_lookups *lookups) {
    uint32_t n_ctx = greta_session_n_ctx(app->session),
             n_chunk = greta_session_get_stats(app->session).n_chunk;
    struct asker a = {lookups};
    greta_status status = GRETA_OK;
    if (n == 1) {
        for (uint32_t n_kv = GRETA_ATTN_CHUNK; n_kv < n_ctx && !status; n_kv *= 2)
            status = greta_session_each_call(app->session, 1, n_kv, ask, &a);
        if (!status) status = greta_session_each_call(app->session, 1, n_ctx, ask, &a);
        return;
    }
    if (n >= n_chunk) status = greta_session_each_call(app->session, n_chunk, n_chunk, ask, &a);
    if (!status && n % n_chunk)
        status = greta_session_each_call(app->session, n % n_chunk, n % n_chunk, ask, &a);
}

/* ---- of a shape ---- */

static int op_named(const char *name) {
    for (int op = 0; op < GRETA_N_OPS; op++)
        if (strcmp(greta_op_get_info((enum greta_op)op)->name, name) == 0) return op;
    return -1;
}

static void say_no_op(const char *name) {
    char all[1024] = "";
    for (uint32_t op = 0, at = 0; op < GRETA_N_OPS && at < sizeof all; op++)
        at += (uint32_t)snprintf(all + at, sizeof all - at, "%s%s", op ? ", " : "",
                                 greta_op_get_info((enum greta_op)op)->name);
    say("there is no op \"%s\": %s", name, all);
}

static bool type_named(const char *name, uint32_t *out) {
    for (uint32_t type = 0; type < 64; type++) {
        const struct greta_type_info *t = greta_type_get_info(type);
        if (t && strcasecmp(t->name, name) == 0) {
            *out = type;
            return true;
        }
    }
    return false;
}

struct shape {
    const struct greta_op_info *info;
    struct greta_search_call *out;
    uint32_t scalars_given, keys_given; /* bits */
    bool pos_given;
};

static bool may_be_zero(const char *name) {
    return strcmp(name, "window") == 0 || strcmp(name, "value") == 0 || strcmp(name, "pos") == 0;
}

/* "n_rows=4096", or a number alone, which is the next scalar's. */
static bool read_word(struct shape *s, const char *word) {
    const char *equal = strchr(word, '=');
    const char *value = equal ? equal + 1 : word;
    size_t len = equal ? (size_t)(equal - word) : 0;
    char *end;
    double number = strtod(value, &end);
    bool is_number = end != value && !*end;
    bool is_count = is_number && number >= 0 && number <= 1 << 28 && number == floor(number);
    struct greta_call *call = &s->out->call;
    for (uint32_t i = 0; i < s->info->n_scalars && is_number; i++) {
        bool named = equal && strlen(s->info->scalar_names[i]) == len &&
                     memcmp(s->info->scalar_names[i], word, len) == 0;
        bool next = !equal && !s->info->scalar_is_f32[i] && !(s->scalars_given >> i & 1);
        if (!named && !next) continue;
        float real = (float)number;
        if (s->info->scalar_is_f32[i])
            memcpy(&call->scalars.u32[i], &real, sizeof real);
        else if (is_count && (number > 0 || may_be_zero(s->info->scalar_names[i])))
            call->scalars.u32[i] = (uint32_t)number;
        else
            return false;
        s->scalars_given |= 1u << i;
        return true;
    }
    for (uint32_t i = 0; i < s->info->n_keys && equal; i++) {
        if (strlen(s->info->key_names[i]) != len || memcmp(s->info->key_names[i], word, len) != 0) continue;
        bool type = strstr(s->info->key_names[i], "type") != NULL;
        if (type ? !type_named(value, &call->keys[i]) : !is_count) return false;
        if (!type) call->keys[i] = (uint32_t)number;
        s->keys_given |= 1u << i;
        return true;
    }
    if (equal && is_count && len == 3 && memcmp(word, "pos", 3) == 0) {
        s->out->step[1] = (uint32_t)number;
        s->pos_given = true;
        return true;
    }
    return false;
}

static void set_f32(struct greta_call *call, uint32_t i, float x) {
    memcpy(&call->scalars.u32[i], &x, sizeof x);
}

/* What a user need not say: eps, scale; window and softcap off; the types that a model of F16 has. */
static bool fill_in(struct shape *s) {
    struct greta_call *call = &s->out->call;
    for (uint32_t i = 0; i < s->info->n_scalars; i++) {
        const char *name = s->info->scalar_names[i];
        if (s->scalars_given >> i & 1) continue;
        if (strcmp(name, "eps") == 0)
            set_f32(call, i, 1e-5f);
        else if (strcmp(name, "scale") == 0)
            set_f32(call, i, call->op == GRETA_OP_SOFTMAX || call->op == GRETA_OP_SCALE ? 1 : 0.088f);
        else if (!s->info->scalar_is_f32[i] && !may_be_zero(name)) {
            say("--shape of %s needs %s: \"%s=N\"", s->info->name, name, name);
            return false;
        }
    }
    for (uint32_t i = 0; i < s->info->n_keys; i++) {
        const char *name = s->info->key_names[i];
        if (s->keys_given >> i & 1) continue;
        if (strcmp(name, "w_type") == 0 || strcmp(name, "kv_type") == 0 || strcmp(name, "type") == 0)
            call->keys[i] = GRETA_TYPE_F16;
        else if (strcmp(name, "v_type") == 0)
            call->keys[i] = call->keys[0];
        else if (strcmp(name, "head_dim") == 0)
            call->keys[i] = 128;
    }
    return true;
}

static uint32_t scalar(const struct shape *s, const char *name) {
    for (uint32_t i = 0; i < s->info->n_scalars; i++)
        if (strcmp(s->info->scalar_names[i], name) == 0) return s->out->call.scalars.u32[i];
    return 0;
}

static bool place(struct app *app, const struct tune_request *q, struct shape *s) {
    struct greta_call *call = &s->out->call;
    const struct greta_plan_params params = {
        .policy = q->common.plan ? GRETA_POLICY_EXACT : GRETA_POLICY_DEFAULT, .force = ""};
    uint32_t n_tok = strcmp(s->info->scalar_names[0], "n_tok") == 0 ? call->scalars.u32[0] : 1,
             n_ctx = scalar(s, "n_ctx");
    const struct greta_variant *row;
    struct greta_plan *plan;
    if (n_ctx && n_tok > n_ctx) {
        say("--shape: %u tokens do not fit into a context of %u", n_tok, n_ctx);
        return false;
    }
    if (!s->pos_given && n_tok == 1) s->out->step[1] = n_ctx * 3 / 4;
    if (n_ctx && s->out->step[1] > n_ctx - n_tok) s->out->step[1] = n_ctx - n_tok;
    s->out->step[2] = s->out->step[1] + n_tok;
    if (greta_plan_create(app->dev, &params, &plan)) return false;
    bool ok = true, has_weight = s->info->n_keys && strcmp(s->info->key_names[0], "w_type") == 0;
    if (has_weight) ok = !greta_plan_weight_layout(plan, call->keys[0], &call->layout);
    for (uint32_t i = 1; ok && has_weight && i < s->info->n_keys; i++)
        if (strcmp(s->info->key_names[i], "x_type") == 0 && !(s->keys_given >> i & 1))
            call->keys[i] =
                greta_plan_x_type(plan, call->keys[0], n_tok, scalar(s, "n_rows"), scalar(s, "n_cols"));
    ok = ok && !greta_plan_choose(plan, call, &row); /* what no row serves is said, with the reasons */
    greta_plan_destroy(&plan);
    return ok;
}

bool tune_call_of_shape(struct app *app, const struct tune_request *q, struct tune_jobs *out) {
    int op = op_named(q->op);
    char text[512], *rest = text;
    struct tune_job *job = job_add(out);
    if (op < 0) say_no_op(q->op);
    if (op < 0 || !job) return false;
    job->share = 1;
    job->call.call.op = (enum greta_op)op;
    struct shape s = {.info = greta_op_get_info((enum greta_op)op), .out = &job->call};
    snprintf(text, sizeof text, "%s", q->shape ? q->shape : "");
    for (char *word; (word = strsep(&rest, ", "));)
        if (*word && !read_word(&s, word)) {
            say("--shape: \"%s\" is no size or type of %s (sizes are whole and above 0)", word, s.info->name);
            return false;
        }
    return fill_in(&s) && place(app, q, &s);
}
