// Stands for NCCL's log: NCCL_DEBUG, NCCL_DEBUG_SUBSYS, NCCL_DEBUG_FILE. Lines look like NCCL's and end in a mark that
// says where they come from. A stand-in for tests only.
#include "nccl.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <mutex>
#include <strings.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace softgpu {

enum { none, version_level, warn_level, info_level };

static int level() {
	static const int at = [] {
		const char *names[] = {"NONE", "VERSION", "WARN", "INFO", "ABORT", "TRACE"};
		for (int i = 0; i < 6; i++)
			if (env_is("NCCL_DEBUG", names[i]))
				return i > info_level ? int(info_level) : i;
		return int(none);
	}();
	return at;
}

bool logs_version() { return level() >= version_level; }

// A list of subsystems; "^" before it takes them away from all.
static unsigned subsystems() {
	static const unsigned mask = [] {
		static const struct { const char *name; unsigned bit; } known[] = {{"INIT", 1}, {"COLL", 2}, {"P2P", 4}, {"SHM", 8},
			{"NET", 0x10}, {"GRAPH", 0x20}, {"TUNING", 0x40}, {"ENV", 0x80}, {"ALLOC", 0x100}, {"CALL", 0x200},
			{"PROXY", 0x400}, {"NVLS", 0x800}, {"BOOTSTRAP", 0x1000}, {"REG", 0x2000}, {"PROFILE", 0x4000}, {"ALL", ~0u}};
		const char *text = env("NCCL_DEBUG_SUBSYS");
		if (!text)
			return 0x1000u | INIT | ENV;
		bool without = *text == '^';
		unsigned listed = 0;
		char *copy = strdup(text + without), *rest;
		for (char *word = strtok_r(copy, ",", &rest); word; word = strtok_r(nullptr, ",", &rest))
			for (auto &k : known)
				if (strcasecmp(word, k.name) == 0)
					listed |= k.bit;
		free(copy);
		return without ? ~listed : listed;
	}();
	return mask;
}

static FILE *file() {
	static FILE *to = [] {
		const char *pattern = env("NCCL_DEBUG_FILE");
		if (!pattern)
			return stdout;
		std::string path;
		for (const char *c = pattern; *c; c++) {
			char host[256] = "";
			gethostname(host, sizeof host - 1);
			if (*c != '%' || !c[1])
				path += *c;
			else if (*++c == 'h')
				path += host;
			else if (*c == 'p')
				path += std::to_string(getpid());
			else
				path += *c;
		}
		FILE *opened = fopen(path.c_str(), "w");
		return opened ? opened : stdout;
	}();
	return to;
}

static char last[1024];
static std::mutex lock;

const char *last_error() { return last; }

// One write per line, so that lines of several processes don't mix.
static void line(int device, const char *what, const char *text) {
	char host[256] = "", out[2048];
	gethostname(host, sizeof host - 1);
	host[strcspn(host, ".")] = 0;
	int n = snprintf(out, sizeof out, "%s:%d:%ld [%d] NCCL %s %s [softgpu stand-in]\n", host, getpid(), syscall(SYS_gettid), device, what, text);
	if (n >= int(sizeof out))
		n = sizeof out - 1;
	std::lock_guard<std::mutex> hold(lock);
	fwrite(out, 1, size_t(n), file());
	fflush(file());
}

void info(int device, unsigned of, const char *format, ...) {
	if (level() < info_level || !(of & subsystems()))
		return;
	char text[1500];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	line(device, "INFO", text);
}

// The last warning is kept as the last error, whatever the level.
void warn(int device, const char *format, ...) {
	char text[900];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	snprintf(last, sizeof last, "%s [softgpu stand-in]", text);
	if (level() >= warn_level)
		line(device, "WARN", text);
}

void plugin_logger(int at, unsigned long flags, const char *, int, const char *format, ...) {
	char text[1500];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	if (at == warn_level)
		warn(-1, "%s", text);
	else
		info(-1, unsigned(flags), "%s", text);
}

} // namespace softgpu
