#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static greta_status fail_open(const char *path, int error, const struct greta_log *log) {
    if (error == ENOENT || error == ENOTDIR)
        return greta_fail(log, GRETA_ERR_NOT_FOUND, "%.500s: no such file: check the path", path);
    if (error == EACCES || error == EPERM)
        return greta_fail(log, GRETA_ERR_IO,
                          "%.500s: no right to read it: change its permissions (chmod a+r)", path);
    if (error == ENXIO || error == ENODEV)
        return greta_fail(log, GRETA_ERR_IO, "%.500s: not a regular file: give the path of a GGUF file",
                          path);
    return greta_fail(log, error == ENOMEM ? GRETA_ERR_NO_MEMORY : GRETA_ERR_IO,
                      "%.500s: cannot be opened: %s", path, strerror(error));
}

static const char *kind_of(mode_t mode) {
    return S_ISDIR(mode)    ? "a directory"
           : S_ISFIFO(mode) ? "a FIFO"
           : S_ISSOCK(mode) ? "a socket"
                            : "a device";
}

static greta_status check_kind(const struct stat *st, const char *path, const struct greta_log *log) {
    if (!S_ISREG(st->st_mode))
        return greta_fail(log, GRETA_ERR_IO, "%.500s: is %s: give the path of a GGUF file", path,
                          kind_of(st->st_mode));
    if (st->st_size == 0)
        return greta_fail(log, GRETA_ERR_FORMAT, "%.500s: is empty: fetch or convert the file again", path);
    if ((uintmax_t)st->st_size > SIZE_MAX / 2)
        return greta_fail(log, GRETA_ERR_IO, "%.500s: is too large for this machine's address space", path);
    return GRETA_OK;
}

greta_status gguf_part_map(struct gguf_part *part, const struct greta_log *log) {
    /* Not blocking: the open of a FIFO without a writer would wait for ever. */
    int fd = open(part->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return fail_open(part->path, errno, log);
    struct stat st;
    greta_status status =
        fstat(fd, &st) ? fail_open(part->path, errno, log) : check_kind(&st, part->path, log);
    if (status == GRETA_OK) {
        void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED)
            status = greta_fail(log, errno == ENOMEM ? GRETA_ERR_NO_MEMORY : GRETA_ERR_IO,
                                "%.500s: cannot be mapped: %s", part->path, strerror(errno));
        else
            part->data = p, part->size = (size_t)st.st_size, part->mapped = true, part->fd = fd;
    }
    if (status) close(fd);
    return status;
}

void gguf_part_unmap(struct gguf_part *part) {
    if (part->mapped) {
        munmap((void *)part->data, part->size);
        close(part->fd);
    }
    part->data = NULL;
    part->size = 0;
    part->mapped = false;
}

bool greta_gguf_read(const struct greta_gguf *g, uint32_t i_file, uint64_t offset_bytes, void *dst,
                     size_t size_bytes) {
    if (i_file >= g->n_parts || !g->parts[i_file].mapped) return false;
    for (char *to = dst; size_bytes;) {
        ssize_t n = pread(g->parts[i_file].fd, to, size_bytes, (off_t)offset_bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n == 0) errno = EIO; /* shorter than when it was opened */
        if (n <= 0) return false;
        to += n, offset_bytes += (uint64_t)n, size_bytes -= (size_t)n;
    }
    return true;
}
