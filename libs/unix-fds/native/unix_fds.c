/*
 * Messages with file descriptors (SCM_RIGHTS) over connected unix stream sockets, on the event loop of Node.js.
 *
 * A channel is a duplicate of a socket's descriptor, watched by its own uv_poll_t, so that the socket's owner and the
 * channel do not meet in libuv. What JavaScript sees of it is in ../src/native-addon.ts. N-API and the stable part of
 * libuv only: one binary serves every release of Node.js.
 */
#define _GNU_SOURCE
#define NAPI_VERSION 8
#include <node_api.h>
#include <uv.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* SCM_MAX_FD of Linux: with room for so many, the kernel never has to drop one. */
#define MOST_DESCRIPTORS 253
#define READ_BYTES (64 * 1024)

union control {
  char bytes[CMSG_SPACE(sizeof(int) * MOST_DESCRIPTORS)];
  struct cmsghdr align;
};

/* The message that waits for, or is on, its way to the kernel; its descriptors are duplicates, owned here. */
struct outgoing {
  napi_ref bytes;
  napi_ref done;
  const char *data;
  size_t left;
  int descriptors[MOST_DESCRIPTORS];
  size_t count;
};

struct channel {
  uv_poll_t poll;
  napi_env env;
  napi_async_context context;
  napi_async_cleanup_hook_handle cleanup;
  napi_ref received;
  int fd;
  bool reading;
  bool sending;
  /* The handle of libuv is being closed, or is closed. */
  bool closing;
  bool closed;
  /* JavaScript can no longer name it. */
  bool forgotten;
  struct outgoing out;
};

/* ---- errors ---- */

static napi_value throw_system(napi_env env, const char *call, int error) {
  char text[160];
  snprintf(text, sizeof text, "%s %s: %s", call, uv_err_name(-error), uv_strerror(-error));
  napi_throw_error(env, uv_err_name(-error), text);
  return NULL;
}

static napi_value throw_argument(napi_env env, const char *text) {
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending) napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", text);
  return NULL;
}

/* The name of an error, or null for none. */
static napi_value error_name(napi_env env, int error) {
  napi_value value;
  if (error == 0) napi_get_null(env, &value);
  else napi_create_string_utf8(env, uv_err_name(-error), NAPI_AUTO_LENGTH, &value);
  return value;
}

static void close_all(const int *descriptors, size_t count) {
  for (size_t at = 0; at < count; at++) close(descriptors[at]);
}

/* ---- the life of a channel ---- */

static void drop_outgoing(struct channel *channel) {
  struct outgoing *out = &channel->out;
  close_all(out->descriptors, out->count);
  if (out->bytes != NULL) napi_delete_reference(channel->env, out->bytes);
  if (out->done != NULL) napi_delete_reference(channel->env, out->done);
  memset(out, 0, sizeof *out);
  channel->sending = false;
}

static void free_if_over(struct channel *channel) {
  if (channel->closed && channel->forgotten) free(channel);
}

static void on_closed(uv_handle_t *handle) {
  struct channel *channel = handle->data;
  channel->closed = true;
  napi_remove_async_cleanup_hook(channel->cleanup);
  free_if_over(channel);
}

static void close_channel(struct channel *channel) {
  if (channel->closing) return;
  channel->closing = true;
  channel->reading = false;
  drop_outgoing(channel);
  napi_delete_reference(channel->env, channel->received);
  napi_async_destroy(channel->env, channel->context);
  uv_close((uv_handle_t *)&channel->poll, on_closed);
  close(channel->fd);
}

/* The environment ends: of a worker, or of the process. */
static void on_cleanup(napi_async_cleanup_hook_handle handle, void *data) {
  (void)handle;
  close_channel(data);
}

static void on_forgotten(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  struct channel *channel = data;
  channel->forgotten = true;
  close_channel(channel);
  free_if_over(channel);
}

/* ---- the loop ---- */

static void on_ready(uv_poll_t *poll, int status, int events);

static void watch(struct channel *channel) {
  int events = (channel->reading ? UV_READABLE : 0) | (channel->sending ? UV_WRITABLE : 0);
  if (events == 0) uv_poll_stop(&channel->poll);
  else uv_poll_start(&channel->poll, events, on_ready);
}

/* Calls a function of JavaScript as an event; what it throws is as uncaught as in any other event. */
static void call(struct channel *channel, napi_value function, size_t count, napi_value *arguments) {
  napi_env env = channel->env;
  napi_value receiver;
  napi_get_global(env, &receiver);
  napi_status status = napi_make_callback(env, channel->context, receiver, function, count, arguments, NULL);
  if (status != napi_pending_exception) return;
  napi_value exception;
  if (napi_get_and_clear_last_exception(env, &exception) == napi_ok) napi_fatal_exception(env, exception);
}

static void tell_received(struct channel *channel, napi_value bytes, napi_value descriptors, int error) {
  napi_env env = channel->env;
  napi_value received;
  if (napi_get_reference_value(env, channel->received, &received) != napi_ok) return;
  napi_value arguments[] = {bytes, descriptors, error_name(env, error)};
  call(channel, received, 3, arguments);
}

/* The end of what is received: by the peer (no error), or by an error. */
static void end_of_input(struct channel *channel, int error) {
  channel->reading = false;
  watch(channel);
  napi_value null, none;
  napi_get_null(channel->env, &null);
  napi_create_array(channel->env, &none);
  tell_received(channel, null, none, error);
}

static size_t descriptors_of(struct msghdr *message, int *descriptors) {
  size_t count = 0;
  for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL; part = CMSG_NXTHDR(message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    size_t here = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t at = 0; at < here && count < MOST_DESCRIPTORS; at++)
      memcpy(&descriptors[count++], CMSG_DATA(part) + at * sizeof(int), sizeof(int));
  }
  return count;
}

static void read_once(struct channel *channel) {
  static _Thread_local char buffer[READ_BYTES];
  union control control;
  int descriptors[MOST_DESCRIPTORS];
  struct iovec part = {buffer, sizeof buffer};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t length = recvmsg(channel->fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (length < 0) {
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) end_of_input(channel, errno);
    return;
  }
  size_t count = descriptors_of(&message, descriptors);
  if (length == 0) {
    close_all(descriptors, count);
    end_of_input(channel, 0);
    return;
  }
  napi_env env = channel->env;
  napi_value bytes, numbers;
  if (napi_create_buffer_copy(env, (size_t)length, buffer, NULL, &bytes) != napi_ok ||
      napi_create_array_with_length(env, count, &numbers) != napi_ok) {
    close_all(descriptors, count);
    end_of_input(channel, ENOMEM);
    return;
  }
  for (size_t at = 0; at < count; at++) {
    napi_value number;
    napi_create_int32(env, descriptors[at], &number);
    napi_set_element(env, numbers, (uint32_t)at, number);
  }
  tell_received(channel, bytes, numbers, 0);
}

/* Hands on as much as the kernel takes, the descriptors with the first byte. Returns false while it has to wait. */
static bool write_some(struct channel *channel, int *error) {
  struct outgoing *out = &channel->out;
  *error = 0;
  while (out->left > 0) {
    union control control;
    struct iovec part = {(void *)out->data, out->left};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (out->count > 0) {
      memset(&control, 0, sizeof control);
      message.msg_control = &control;
      message.msg_controllen = CMSG_SPACE(sizeof(int) * out->count);
      struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
      rights->cmsg_level = SOL_SOCKET;
      rights->cmsg_type = SCM_RIGHTS;
      rights->cmsg_len = CMSG_LEN(sizeof(int) * out->count);
      memcpy(CMSG_DATA(rights), out->descriptors, sizeof(int) * out->count);
    }
    ssize_t written = sendmsg(channel->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (written < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return false;
      *error = errno;
      return true;
    }
    close_all(out->descriptors, out->count);
    out->count = 0;
    out->data += written;
    out->left -= (size_t)written;
  }
  return true;
}

static void write_on(struct channel *channel) {
  int error;
  if (!write_some(channel, &error)) return;
  napi_env env = channel->env;
  napi_value done;
  napi_status found = napi_get_reference_value(env, channel->out.done, &done);
  drop_outgoing(channel);
  watch(channel);
  if (found != napi_ok) return;
  napi_value argument = error_name(env, error);
  call(channel, done, 1, &argument);
}

static void on_ready(uv_poll_t *poll, int status, int events) {
  struct channel *channel = poll->data;
  napi_handle_scope scope;
  if (napi_open_handle_scope(channel->env, &scope) != napi_ok) return;
  if (status < 0) {
    /* What is tried next tells which error it is. */
    events = UV_READABLE | UV_WRITABLE;
  }
  if ((events & UV_WRITABLE) != 0 && channel->sending) write_on(channel);
  if ((events & UV_READABLE) != 0 && channel->reading) read_once(channel);
  napi_close_handle_scope(channel->env, scope);
}

/* ---- what JavaScript calls ---- */

static struct channel *channel_of(napi_env env, napi_value value) {
  void *data = NULL;
  napi_valuetype type;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_external ||
      napi_get_value_external(env, value, &data) != napi_ok) {
    throw_argument(env, "a channel is needed");
    return NULL;
  }
  return data;
}

static bool arguments_of(napi_env env, napi_callback_info info, size_t wanted, napi_value *values) {
  size_t count = wanted;
  if (napi_get_cb_info(env, info, &count, values, NULL, NULL) == napi_ok && count >= wanted) return true;
  throw_argument(env, "too few arguments");
  return false;
}

static bool is_function(napi_env env, napi_value value) {
  napi_valuetype type;
  return napi_typeof(env, value, &type) == napi_ok && type == napi_function;
}

/* adopt(fd, received): a channel over a duplicate of a connected socket; it reads only after read(). */
static napi_value adopt(napi_env env, napi_callback_info info) {
  napi_value values[2];
  int32_t fd;
  if (!arguments_of(env, info, 2, values)) return NULL;
  if (napi_get_value_int32(env, values[0], &fd) != napi_ok || !is_function(env, values[1]))
    return throw_argument(env, "a descriptor and a function are needed");
  uv_loop_t *loop;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return throw_argument(env, "no event loop");
  struct channel *channel = calloc(1, sizeof *channel);
  if (channel == NULL) return throw_system(env, "calloc", ENOMEM);
  channel->env = env;
  channel->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (channel->fd < 0) {
    int error = errno;
    free(channel);
    return throw_system(env, "dup", error);
  }
  int error = -uv_poll_init(loop, &channel->poll, channel->fd);
  if (error != 0) {
    close(channel->fd);
    free(channel);
    return throw_system(env, "poll", error);
  }
  channel->poll.data = channel;
  napi_value name, external;
  napi_create_string_utf8(env, "DescriptorChannel", NAPI_AUTO_LENGTH, &name);
  napi_async_init(env, NULL, name, &channel->context);
  napi_create_reference(env, values[1], 1, &channel->received);
  napi_add_async_cleanup_hook(env, on_cleanup, channel, &channel->cleanup);
  if (napi_create_external(env, channel, on_forgotten, NULL, &external) != napi_ok) {
    channel->forgotten = true;
    close_channel(channel);
    return throw_system(env, "external", ENOMEM);
  }
  return external;
}

/* read(channel, on): begins or pauses reading. */
static napi_value read_switch(napi_env env, napi_callback_info info) {
  napi_value values[2];
  bool on;
  if (!arguments_of(env, info, 2, values)) return NULL;
  struct channel *channel = channel_of(env, values[0]);
  if (channel == NULL) return NULL;
  if (napi_get_value_bool(env, values[1], &on) != napi_ok) return throw_argument(env, "a boolean is needed");
  if (channel->closing || channel->reading == on) return NULL;
  channel->reading = on;
  watch(channel);
  return NULL;
}

/* Duplicates, so that the caller may close its own as soon as the call returns. Returns an errno. */
static int take_descriptors(napi_env env, napi_value list, struct outgoing *out) {
  uint32_t count;
  if (napi_get_array_length(env, list, &count) != napi_ok) return EINVAL;
  if (count > MOST_DESCRIPTORS) return E2BIG;
  for (uint32_t at = 0; at < count; at++) {
    napi_value value;
    int32_t fd;
    if (napi_get_element(env, list, at, &value) != napi_ok || napi_get_value_int32(env, value, &fd) != napi_ok)
      return EINVAL;
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own < 0) return errno;
    out->descriptors[out->count++] = own;
  }
  return 0;
}

/* send(channel, bytes, descriptors, done): one at a time; done gets null, or the name of the error. Never called at once. */
static napi_value send_message(napi_env env, napi_callback_info info) {
  napi_value values[4];
  bool is_array = false, is_buffer = false;
  if (!arguments_of(env, info, 4, values)) return NULL;
  struct channel *channel = channel_of(env, values[0]);
  if (channel == NULL) return NULL;
  if (channel->closing) return throw_system(env, "send", EPIPE);
  if (channel->sending) return throw_system(env, "send", EALREADY);
  napi_is_buffer(env, values[1], &is_buffer);
  napi_is_array(env, values[2], &is_array);
  if (!is_buffer || !is_array || !is_function(env, values[3]))
    return throw_argument(env, "bytes, an array of descriptors and a function are needed");
  struct outgoing *out = &channel->out;
  void *data;
  napi_get_buffer_info(env, values[1], &data, &out->left);
  out->data = data;
  int error = out->left == 0 ? EINVAL : take_descriptors(env, values[2], out);
  if (error != 0) {
    drop_outgoing(channel);
    return throw_system(env, "send", error);
  }
  napi_create_reference(env, values[1], 1, &out->bytes);
  napi_create_reference(env, values[3], 1, &out->done);
  channel->sending = true;
  watch(channel);
  return NULL;
}

/* close(channel): nothing is called any more; a message that waits is dropped. */
static napi_value close_it(napi_env env, napi_callback_info info) {
  napi_value values[1];
  if (!arguments_of(env, info, 1, values)) return NULL;
  struct channel *channel = channel_of(env, values[0]);
  if (channel != NULL) close_channel(channel);
  return NULL;
}

/* setBlocking(fd): takes O_NONBLOCK off its open file. */
static napi_value set_blocking(napi_env env, napi_callback_info info) {
  napi_value values[1];
  int32_t fd;
  if (!arguments_of(env, info, 1, values)) return NULL;
  if (napi_get_value_int32(env, values[0], &fd) != napi_ok) return throw_argument(env, "a descriptor is needed");
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0) return throw_system(env, "fcntl", errno);
  return NULL;
}

/* attachTap(fd, name, multiQueue): makes an open /dev/net/tun a queue of that interface. */
static napi_value attach_tap(napi_env env, napi_callback_info info) {
  napi_value values[3];
  int32_t fd;
  bool multi_queue;
  struct ifreq request = {0};
  size_t length;
  if (!arguments_of(env, info, 3, values)) return NULL;
  if (napi_get_value_int32(env, values[0], &fd) != napi_ok ||
      napi_get_value_string_utf8(env, values[1], request.ifr_name, IFNAMSIZ, &length) != napi_ok ||
      napi_get_value_bool(env, values[2], &multi_queue) != napi_ok)
    return throw_argument(env, "a descriptor, a name and a boolean are needed");
  request.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | (multi_queue ? IFF_MULTI_QUEUE : 0));
  if (ioctl(fd, TUNSETIFF, &request) < 0) return throw_system(env, "tap", errno);
  return NULL;
}

NAPI_MODULE_INIT() {
  /* libuv 1.x keeps its structures; were a release to enlarge this one, nothing would work and nothing may be tried. */
  if (uv_handle_size(UV_POLL) > sizeof(uv_poll_t)) {
    napi_throw_error(env, "ERR_OTHER_LIBUV", "this Node.js has another libuv than the addon was built with");
    return NULL;
  }
  const napi_property_descriptor functions[] = {
      {"adopt", NULL, adopt, NULL, NULL, NULL, napi_enumerable, NULL},
      {"read", NULL, read_switch, NULL, NULL, NULL, napi_enumerable, NULL},
      {"send", NULL, send_message, NULL, NULL, NULL, napi_enumerable, NULL},
      {"close", NULL, close_it, NULL, NULL, NULL, napi_enumerable, NULL},
      {"setBlocking", NULL, set_blocking, NULL, NULL, NULL, napi_enumerable, NULL},
      {"attachTap", NULL, attach_tap, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions);
  return exports;
}
