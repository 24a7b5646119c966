// Stands for NCCL's loading of plugins. For tests only.
#include "plugin.h"

#include <dlfcn.h>
#include <string>
#include <strings.h>

namespace softgpu {

void *find_plugin(const char *variable, const char *fallback, const char *prefix, int newest, int oldest, int *found) {
	const char *name = env(variable);
	void *library = nullptr;
	if (name && strcasecmp(name, "STATIC_PLUGIN") == 0)
		library = dlopen(nullptr, RTLD_NOW | RTLD_LOCAL);
	else
		library = dlopen(name ? name : (std::string(fallback) + ".so").c_str(), RTLD_NOW | RTLD_LOCAL);
	if (!library && name)
		library = dlopen((std::string(fallback) + "-" + name + ".so").c_str(), RTLD_NOW | RTLD_LOCAL);
	for (int v = newest; library && v >= oldest; v--)
		if (void *symbol = dlsym(library, (prefix + std::to_string(v)).c_str())) {
			info(-1, INIT, "%s: plugin with %s%d", variable, prefix, v);
			*found = v;
			return symbol;
		}
	return nullptr;
}

} // namespace softgpu
