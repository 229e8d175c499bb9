/* Calls at a set mean rate over HTTP: open PORT CONNECTIONS RATE SECONDS TIMEOUT_MS SEED REQUEST DUE
 * As openDriver.mjs, for less of the processor and to within microseconds: calls come by chance (exponential gaps from the seed), a call's time
 * counts from when it was due to be sent, also while all connections are busy, and a line on the input begins a new phase.
 * Writes a line for each phase: calls that failed, median of how late calls left though a connection was free, then the times of the
 * answered ones, all in microseconds; and a line "fault ..." for the first faults. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_PHASES = 8, KEPT_FAULTS = 5, EVENTS = 256, FAULT_BYTES = 200, INPUT = -1 };
static const int64_t MS = 1000000, REOPEN_NS = 50 * MS, NEVER = INT64_MAX;

typedef struct {
  int fd;
  bool isOpen, isConnecting;
  int64_t reopenNs; /* when to try again, where it is closed */
  int64_t dueNs;    /* of the call under way; 0 = idle */
  char *bytes;
  size_t size, room;
} Line;

typedef struct {
  uint32_t *us;
  size_t size, room;
} List;

typedef struct {
  int64_t fromNs;
  long failed;
  List times, late;
} Phase;

static struct sockaddr_in address;
static const char *request, *due;
static size_t requestSize, dueSize;
static Line *lines;
static int *idle;
static int count, idleCount, poll_, faults;
static long underWay;
static char faultTexts[KEPT_FAULTS][FAULT_BYTES + 1];
static Phase phases[MAX_PHASES];
static int lastPhase;
static int64_t nextDueNs, endNs;
static double stepNs;
static uint64_t seed;

static int64_t nowNs(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec * 1000 * MS + at.tv_nsec;
}

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void push(List *list, int64_t us) {
  if (list->size == list->room) {
    list->room = list->room ? 2 * list->room : 4096;
    list->us = realloc(list->us, list->room * sizeof *list->us);
    if (!list->us) die("memory");
  }
  list->us[list->size++] = us < 1 ? 1 : us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

/* The gap before the next call: xorshift64*, as an exponential. */
static double gapNs(void) {
  seed ^= seed >> 12, seed ^= seed << 25, seed ^= seed >> 27;
  return -log(((seed * 2685821657736338717ULL >> 11) + 1) / 9007199254740993.0) * stepNs;
}

static Phase *phaseOf(int64_t dueNs) {
  int at = lastPhase;
  while (at > 0 && phases[at].fromNs > dueNs) at--;
  return &phases[at];
}

static void fail(int64_t dueNs, const char *why, const char *bytes, size_t size) {
  phaseOf(dueNs)->failed++;
  if (faults == KEPT_FAULTS) return;
  char *text = faultTexts[faults++];
  snprintf(text, FAULT_BYTES + 1, "%s%.*s", why, (int)(size < FAULT_BYTES ? size : FAULT_BYTES), bytes);
  for (; *text; text++)
    if (*text < ' ') *text = ' ';
}

static void watch(int operation, Line *line, uint32_t events) {
  struct epoll_event event = {.events = events, .data.u64 = (uint64_t)(line - lines)};
  if (epoll_ctl(poll_, operation, line->fd, &event)) die("epoll_ctl");
}

static void open_(Line *line) {
  int one = 1;
  line->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (line->fd < 0) die("socket");
  setsockopt(line->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  line->isConnecting = true;
  line->size = 0;
  line->reopenNs = NEVER;
  if (connect(line->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) die("connect");
  watch(EPOLL_CTL_ADD, line, EPOLLOUT);
}

static void close_(Line *line, int64_t reopenNs) {
  if (line->dueNs) fail(line->dueNs, "connection closed before the answer", "", 0), underWay--;
  else for (int i = 0; i < idleCount; i++)
    if (idle[i] == line - lines) idle[i] = idle[--idleCount];
  line->dueNs = 0;
  line->isOpen = line->isConnecting = false;
  line->reopenNs = reopenNs;
  close(line->fd);
}

static void send_(int64_t now) {
  Line *line = &lines[idle[--idleCount]];
  line->dueNs = nextDueNs;
  underWay++;
  nextDueNs += gapNs();
  /* a request is far smaller than an empty socket's buffer */
  if (write(line->fd, request, requestSize) != (ssize_t)requestSize) close_(line, now);
}

/* Sends what is due and can be sent. A call's lateness counts where it is the driver's own fault. */
static void sendDue(bool waited) {
  for (int64_t now = nowNs(); idleCount > 0 && nextDueNs <= now && nextDueNs < endNs; now = nowNs()) {
    if (!waited) push(&phaseOf(nextDueNs)->late, (now - nextDueNs) / 1000);
    send_(now);
  }
}

/* Joins the pieces of a chunked body in place. Returns its size, or -1 while it is not whole. */
static long unchunk(char *body, size_t size, char *out) {
  for (size_t at = 0, made = 0;;) {
    char *eol = memmem(body + at, size - at, "\r\n", 2);
    if (!eol) return -1;
    size_t piece = strtoul(body + at, NULL, 16);
    at = eol + 2 - body;
    if (size < at + piece + 2) return -1;
    if (piece == 0) return made;
    memcpy(out + made, body + at, piece);
    made += piece;
    at += piece + 2;
  }
}

/* Judges the answer at hand once it is whole. */
static void judge(Line *line) {
  char *end = memmem(line->bytes, line->size, "\r\n\r\n", 4);
  if (!end) return;
  *end = 0;
  char *length = strcasestr(line->bytes, "\r\ncontent-length:");
  bool isLast = strcasestr(line->bytes, "\r\nconnection: close") != NULL;
  *end = '\r';
  char *body = end + 4;
  size_t have = line->size - (body - line->bytes);
  long size;
  char *plain = NULL;
  if (length) {
    size = atol(length + 17);
    if ((long)have < size) return;
  } else {
    plain = malloc(have + 1);
    size = unchunk(body, have, plain);
    if (size < 0) {
      free(plain);
      return;
    }
    body = plain;
  }
  int64_t now = nowNs();
  bool isRight = !memcmp(line->bytes + 9, "200", 3) && (size_t)size == dueSize && !memcmp(body, due, dueSize);
  char why[16];
  snprintf(why, sizeof why, "status %.3s: ", line->bytes + 9);
  if (!isRight) fail(line->dueNs, why, body, size);
  else push(&phaseOf(line->dueNs)->times, (now - line->dueNs) / 1000);
  free(plain);
  line->size = 0;
  line->dueNs = 0;
  underWay--;
  if (isLast) close_(line, now);
  else idle[idleCount++] = line - lines;
}

static void onReadable(Line *line) {
  if (line->room - line->size < 4096) {
    line->room = 2 * line->room + 8192;
    line->bytes = realloc(line->bytes, line->room);
    if (!line->bytes) die("memory");
  }
  ssize_t got = read(line->fd, line->bytes + line->size, line->room - line->size - 1);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) return close_(line, nowNs());
  line->size += got;
  line->bytes[line->size] = 0;
  if (line->dueNs) judge(line);
}

static void onEvent(const struct epoll_event *event) {
  if ((int64_t)event->data.u64 == INPUT) {
    char byte[64];
    ssize_t got = read(0, byte, sizeof byte);
    if (got <= 0) epoll_ctl(poll_, EPOLL_CTL_DEL, 0, NULL);
    for (ssize_t i = 0; i < got; i++)
      if (byte[i] == '\n' && lastPhase < MAX_PHASES - 1) phases[++lastPhase].fromNs = nowNs();
    return;
  }
  Line *line = &lines[event->data.u64];
  if (!line->isConnecting) return line->isOpen ? onReadable(line) : (void)0;
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(line->fd, SOL_SOCKET, SO_ERROR, &error, &size);
  line->isConnecting = false;
  if (error) {
    close(line->fd);
    line->reopenNs = nowNs() + REOPEN_NS;
    return;
  }
  line->isOpen = true;
  watch(EPOLL_CTL_MOD, line, EPOLLIN);
  idle[idleCount++] = line - lines;
}

/* Opens what was closed. Returns when the next one is to be tried. */
static int64_t reopen(int64_t now) {
  int64_t next = NEVER;
  for (int i = 0; i < count; i++) {
    if (lines[i].reopenNs <= now) open_(&lines[i]);
    else if (lines[i].reopenNs < next) next = lines[i].reopenNs;
  }
  return next;
}

static int byNumber(const void *a, const void *b) {
  uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
  return left < right ? -1 : left > right;
}

static void tell(void) {
  for (Phase *phase = phases; phase <= &phases[lastPhase]; phase++) {
    List late = phase->late;
    if (late.size > 0) qsort(late.us, late.size, sizeof *late.us, byNumber);
    printf("%ld %u", phase->failed, late.size > 0 ? late.us[late.size / 2] : 0);
    for (size_t i = 0; i < phase->times.size; i++) printf(" %u", phase->times.us[i]);
    puts("");
  }
  for (int i = 0; i < faults; i++) printf("fault %s\n", faultTexts[i]);
}

/* What was never sent or answered. */
static void giveUp(const char *why) {
  for (; nextDueNs < endNs; nextDueNs += gapNs()) fail(nextDueNs, "never sent", "", 0);
  for (Line *line = lines; line < lines + count; line++)
    if (line->dueNs) fail(line->dueNs, why, "", 0);
}

static void drive(int64_t timeoutNs) {
  struct epoll_event events[EVENTS];
  for (bool waited = false;;) {
    int64_t now = nowNs();
    int64_t next = reopen(now);
    sendDue(waited);
    bool isSending = nextDueNs < endNs;
    if (!isSending && underWay == 0) return;
    if (!isSending || idleCount == 0) {
      if (now > endNs + timeoutNs) return giveUp("no answer in time");
      if (endNs + timeoutNs < next) next = endNs + timeoutNs + MS;
    } else if (nextDueNs < next) next = nextDueNs;
    int64_t left = next - nowNs();
    if (left < 0) left = 0;
    struct timespec wait = {left / (1000 * MS), left % (1000 * MS)};
    waited = idleCount == 0;
    int got = epoll_pwait2(poll_, events, EVENTS, &wait, NULL);
    if (got < 0 && errno != EINTR) die("epoll_pwait2");
    for (int i = 0; i < got; i++) onEvent(&events[i]);
  }
}

int main(int argc, char **argv) {
  if (argc != 9) return fprintf(stderr, "PORT CONNECTIONS RATE SECONDS TIMEOUT_MS SEED REQUEST DUE\n"), 2;
  address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  count = atoi(argv[2]);
  stepNs = 1e9 / atof(argv[3]);
  seed = (strtoull(argv[6], NULL, 10) * 2 + 1) * 0x9e3779b97f4a7c15ULL;
  request = argv[7], requestSize = strlen(request);
  due = argv[8], dueSize = strlen(due);
  lines = calloc(count, sizeof *lines);
  idle = calloc(count, sizeof *idle);
  poll_ = epoll_create1(EPOLL_CLOEXEC);
  if (!lines || !idle || poll_ < 0) die("start");
  /* by default the kernel may wake a sleeper 50 µs late */
  prctl(PR_SET_TIMERSLACK, 1);
  struct epoll_event input = {.events = EPOLLIN, .data.u64 = (uint64_t)INPUT};
  epoll_ctl(poll_, EPOLL_CTL_ADD, 0, &input);
  for (int i = 0; i < count; i++) open_(&lines[i]);
  int64_t startNs = nowNs() + 100 * MS;
  endNs = startNs + (int64_t)(atof(argv[4]) * 1000 * MS);
  nextDueNs = startNs;
  drive(atol(argv[5]) * MS);
  tell();
  return 0;
}
