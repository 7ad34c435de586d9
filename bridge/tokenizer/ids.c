#include "internal.h"

#include <stdlib.h>

bool id_push(struct id_list *list, uint32_t id) {
    if (list->n == list->room) {
        size_t room = list->room ? list->room * 2 : 64;
        uint32_t *p = realloc(list->ids, room * sizeof *p);
        if (!p) return false;
        list->ids = p;
        list->room = room;
    }
    list->ids[list->n++] = id;
    return true;
}
