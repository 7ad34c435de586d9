/* Opening the loader and an instance; what the validation layer says goes to the log. */
#include "vk.h"

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

static void *get_proc(struct vk_instance *in, const char *name) {
    PFN_vkVoidFunction f = in->GetInstanceProcAddr(in->handle, name);
    void *p;
    memcpy(&p, &f, sizeof p); /* a function's pointer as data, which ISO C has no cast for */
    return p;
}

static greta_status load_functions(struct vk_instance *in, const struct dl_symbol *symbols, size_t n,
                                   void *table) {
    for (size_t i = 0; i < n; i++) {
        void *p = get_proc(in, symbols[i].name);
        if (!p && !symbols[i].optional) {
            greta_logf(in->log, GRETA_LOG_INFO, "vulkan: %s lacks %s: install a newer Vulkan loader",
                       in->library.name, symbols[i].name);
            return GRETA_ERR_UNAVAILABLE;
        }
        memcpy((char *)table + symbols[i].offset, &p, sizeof p);
    }
    return GRETA_OK;
}

static greta_status load_global(struct vk_instance *in) {
#define SYMBOL(name, required) {"vk" #name, offsetof(struct vk_global_fns, name), !(required)},
    static const struct dl_symbol symbols[] = {VK_GLOBAL_FUNCTIONS(SYMBOL)};
#undef SYMBOL
    return load_functions(in, symbols, sizeof symbols / sizeof *symbols, &in->global);
}

static greta_status load_instance(struct vk_instance *in) {
#define SYMBOL(name, required) {"vk" #name, offsetof(struct vk_instance_fns, name), !(required)},
    static const struct dl_symbol symbols[] = {VK_INSTANCE_FUNCTIONS(SYMBOL)};
#undef SYMBOL
    return load_functions(in, symbols, sizeof symbols / sizeof *symbols, &in->fn);
}

static greta_status open_library(struct vk_instance *in, const char *name) {
    const char *const usual[] = {"libvulkan.so.1", "libvulkan.so", NULL}, *const given[] = {name, NULL};
    if (dl_open(&in->library, name ? given : usual, in->log) != GRETA_OK) {
        greta_logf(in->log, GRETA_LOG_INFO, "vulkan: no %s on this machine (Debian: apt install libvulkan1)",
                   name ? name : usual[0]);
        return GRETA_ERR_UNAVAILABLE;
    }
    static const struct dl_symbol symbol[] = {{"vkGetInstanceProcAddr", 0, true}};
    void *p = NULL;
    if (dl_load(&in->library, symbol, 1, &p, in->log) != GRETA_OK || !p) {
        greta_logf(in->log, GRETA_LOG_INFO, "vulkan: %s is no Vulkan loader: it lacks vkGetInstanceProcAddr",
                   in->library.name);
        return GRETA_ERR_UNAVAILABLE;
    }
    memcpy(&in->GetInstanceProcAddr, &p, sizeof p);
    return load_global(in);
}

/* ---- validation ------------------------------------------------------------------------------------------------- */

static const char layer_name[] = "VK_LAYER_KHRONOS_validation";

static bool has_layer(struct vk_instance *in) {
    VkLayerProperties layers[64];
    uint32_t n = 64;
    VkResult r = in->global.EnumerateInstanceLayerProperties(&n, layers);
    if (r != VK_SUCCESS && r != VK_INCOMPLETE) return false;
    for (uint32_t i = 0; i < n; i++)
        if (!strcmp(layers[i].layerName, layer_name)) return true;
    return false;
}

static bool has_instance_extension(struct vk_instance *in, const char *layer, const char *name) {
    VkExtensionProperties extensions[128];
    uint32_t n = 128;
    VkResult r = in->global.EnumerateInstanceExtensionProperties(layer, &n, extensions);
    if (r != VK_SUCCESS && r != VK_INCOMPLETE) return false;
    for (uint32_t i = 0; i < n; i++)
        if (!strcmp(extensions[i].extensionName, name)) return true;
    return false;
}

/* The layer's messages are errors of ours; the loader's are remarks about drivers that do not load. */
static VKAPI_ATTR VkBool32 VKAPI_CALL on_message(VkDebugUtilsMessageSeverityFlagBitsEXT severity,
                                                 VkDebugUtilsMessageTypeFlagsEXT types,
                                                 const VkDebugUtilsMessengerCallbackDataEXT *data,
                                                 void *user) {
    struct vk_instance *in = user;
    enum greta_log_level level = GRETA_LOG_DEBUG;
    if (types & VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT) {
        level = severity & VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT ? GRETA_LOG_ERROR : GRETA_LOG_WARN;
        if (level == GRETA_LOG_ERROR) atomic_fetch_add(&in->n_validation_errors, 1);
    }
    char text[960];
    const char *message = data->pMessage ? data->pMessage : "";
    size_t n = strnlen(message, sizeof text - 1);
    for (size_t i = 0; i < n; i++) text[i] = message[i] == '\n' ? ' ' : message[i];
    text[n] = 0;
    greta_logf(in->log, level, "vulkan validation: %s", text);
    return VK_FALSE;
}

static const VkDebugUtilsMessengerCreateInfoEXT messenger_info = {
    .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
    .messageSeverity =
        VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT,
    .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_GENERAL_BIT_EXT |
                   VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT |
                   VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT,
    .pfnUserCallback = on_message,
};

/* ---- keeping drivers loaded -------------------------------------------------------------------------------------- */

enum { MAX_KEPT = 64 };

/* Objects of the process past the first n_before, in the order in which they were loaded. */
struct loaded {
    size_t n, n_before, n_names;
    const char *names[MAX_KEPT];
};

static int note_object(struct dl_phdr_info *object, size_t size, void *user) {
    struct loaded *l = user;
    (void)size;
    if (l->n++ >= l->n_before && object->dlpi_name && object->dlpi_name[0] && l->n_names < MAX_KEPT)
        l->names[l->n_names++] = object->dlpi_name;
    return 0;
}

static size_t count_objects(void) {
    struct loaded l = {.n_before = SIZE_MAX};
    (void)dl_iterate_phdr(note_object, &l);
    return l.n;
}

/*
 * What vkCreateInstance loaded (drivers, layers, their compilers) is never unloaded again: such libraries leave threads'
 * exit handlers behind, which would then run in memory that is gone, and lose some memory for each time they are loaded.
 */
static void keep_loaded(size_t n_before) {
    struct loaded l = {.n_before = n_before};
    (void)dl_iterate_phdr(note_object, &l);
    for (size_t i = 0; i < l.n_names; i++) (void)dlopen(l.names[i], RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static greta_status create_instance(struct vk_instance *in) {
    const VkApplicationInfo app = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                   .pApplicationName = "greta",
                                   .pEngineName = "greta",
                                   .apiVersion = VK_API_VERSION_1_3};
    const VkValidationFeatureEnableEXT enables[] = {
        VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT};
    VkValidationFeaturesEXT sync = {.sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT,
                                    .enabledValidationFeatureCount = 1,
                                    .pEnabledValidationFeatures = enables};
    VkDebugUtilsMessengerCreateInfoEXT messages = messenger_info;
    messages.pUserData = in;
    const char *layers[] = {layer_name}, *extensions[2];
    VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                 .pApplicationInfo = &app,
                                 .ppEnabledLayerNames = layers,
                                 .ppEnabledExtensionNames = extensions};
    if (in->validation) {
        info.enabledLayerCount = 1;
        info.pNext = &messages;
        extensions[info.enabledExtensionCount++] = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
        if (has_instance_extension(in, layer_name, VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME)) {
            messages.pNext = &sync;
            extensions[info.enabledExtensionCount++] = VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME;
        }
    }
    size_t n_objects = count_objects();
    VkResult r = in->global.CreateInstance(&info, NULL, &in->handle);
    if (r == VK_SUCCESS) keep_loaded(n_objects);
    if (r == VK_SUCCESS) return GRETA_OK;
    in->handle = NULL;
    if (r == VK_ERROR_OUT_OF_HOST_MEMORY)
        return greta_fail(in->log, GRETA_ERR_NO_MEMORY, "vulkan: vkCreateInstance: %s", vk_result_name(r));
    greta_logf(
        in->log, GRETA_LOG_INFO,
        "vulkan: no driver is installed (vkCreateInstance: %s; Debian: apt install mesa-vulkan-drivers)",
        vk_result_name(r));
    return GRETA_ERR_UNAVAILABLE;
}

static void close_instance(void *instance) {
    struct vk_instance *in = instance;
    if (!in) return;
    if (in->messenger) in->fn.DestroyDebugUtilsMessengerEXT(in->handle, in->messenger, NULL);
    if (in->handle) in->fn.DestroyInstance(in->handle, NULL);
    unsigned n = atomic_load(&in->n_validation_errors);
    if (n) greta_logf(in->log, GRETA_LOG_WARN, "vulkan: the validation layer reported %u errors", n);
    dl_close(&in->library);
    free(in->devices);
    free(in->cache_dir);
    free(in);
}

static greta_status open_parts(struct vk_instance *in, const struct hal_open_params *params) {
    greta_status st = open_library(in, params->library);
    if (st != GRETA_OK) return st;
    uint32_t version = 0;
    if (in->global.EnumerateInstanceVersion(&version) != VK_SUCCESS || version < VK_API_VERSION_1_1) {
        greta_logf(in->log, GRETA_LOG_INFO, "vulkan: %s is too old: Vulkan 1.1 or newer is needed",
                   in->library.name);
        return GRETA_ERR_UNAVAILABLE;
    }
    in->validation = params->validation && has_layer(in);
    if (params->validation && !in->validation)
        greta_logf(in->log, GRETA_LOG_WARN,
                   "vulkan: no validation: %s is not installed (Debian: apt install vulkan-validationlayers)",
                   layer_name);
    st = create_instance(in);
    if (st == GRETA_OK) st = load_instance(in);
    if (st != GRETA_OK) return st;
    if (in->validation && in->fn.CreateDebugUtilsMessengerEXT && in->fn.DestroyDebugUtilsMessengerEXT) {
        VkDebugUtilsMessengerCreateInfoEXT info = messenger_info;
        info.pUserData = in;
        if (in->fn.CreateDebugUtilsMessengerEXT(in->handle, &info, NULL, &in->messenger) != VK_SUCCESS)
            in->messenger = NULL;
    }
    return vk_probe(in);
}

static greta_status open_instance(const struct hal_open_params *params, void **out) {
    *out = NULL;
    struct vk_instance *in = calloc(1, sizeof *in);
    if (!in) return greta_fail(params->log, GRETA_ERR_NO_MEMORY, "vulkan: out of memory");
    in->log = params->log;
    greta_status st = GRETA_OK;
    if (params->cache_dir && params->cache_dir[0] && !(in->cache_dir = strdup(params->cache_dir)))
        st = greta_fail(params->log, GRETA_ERR_NO_MEMORY, "vulkan: out of memory");
    if (st == GRETA_OK) st = open_parts(in, params);
    if (st != GRETA_OK) {
        /* The functions that close it may be missing: an instance is made just before they are loaded. */
        if (!in->fn.DestroyInstance) in->handle = NULL;
        close_instance(in);
        return st;
    }
    *out = in;
    return GRETA_OK;
}

static greta_status list_devices(void *instance, struct greta_dev_info *infos, uint32_t capacity,
                                 uint32_t *n) {
    const struct vk_instance *in = instance;
    for (uint32_t i = 0; i < in->n_devices && i < capacity; i++) infos[i] = in->devices[i].info;
    *n = in->n_devices;
    return GRETA_OK;
}

const struct greta_backend vk_backend = {
    .name = "vulkan",
    .image_format = GRETA_IMAGE_SPIRV,
    .open = open_instance,
    .list = list_devices,
    .dev_open = vk_dev_open,
    .close = close_instance,
};
