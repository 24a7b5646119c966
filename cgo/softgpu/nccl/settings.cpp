// Stands for NCCL's reading of NCCL_ALGO and NCCL_PROTO. Up to 2.23 a list for all functions, in which unknown words
// are passed over; from 2.24 on lists per function, in which they fail. Read again for every communicator, as by NCCL.
// A stand-in for tests only.
#include "comm.h"

#include <strings.h>

namespace softgpu {

static std::vector<std::string> split(const std::string &text, const char *at) {
	std::vector<std::string> parts; // without empty ones, as strtok
	for (size_t from = 0; (from = text.find_first_not_of(at, from)) != std::string::npos;) {
		size_t to = std::min(text.find_first_of(at, from), text.size());
		parts.push_back(text.substr(from, to - from));
		from = to;
	}
	return parts;
}

struct Words { const char *const *all; int count; };

static int index_of(const Words &words, const std::string &word) {
	for (int i = 0; i < words.count; i++)
		if (strcasecmp(word.c_str(), words.all[i]) == 0)
			return i;
	return -1;
}

// apply sets row[i] for the list "a,b" or "^a,b"; the word that nobody knows, or "".
static std::string apply(std::string list, const Words &words, int *row) {
	bool without = list[0] == '^';
	std::string unknown;
	for (int i = 0; i < words.count; i++)
		row[i] = without;
	for (auto &word : split(list.substr(without), ",")) {
		int at = index_of(words, word);
		if (at >= 0)
			row[at] = !without;
		else if (unknown.empty())
			unknown = word;
	}
	return unknown;
}

static ncclResult_t parse(ncclComm *comm, const char *text, const Words &words, int *rows) {
	if (release() < 22400) {
		for (int f = 0; f < Tuned; f++)
			apply(text, words, rows + f * words.count);
		return ncclSuccess;
	}
	bool first = true;
	for (auto &entry : split(text, ";")) {
		auto halves = split(entry, ":");
		if (halves.size() < 2 && !first) {
			warn(comm->device, "All entries except the first must have a prefix: \"%s\"", text);
			return ncclInvalidUsage;
		}
		int only = halves.size() < 2 ? -1 : index_of({function_names, Tuned}, halves[0]);
		if (halves.size() >= 2 && only < 0) {
			warn(comm->device, "Unrecognized prefix token \"%s\" when parsing \"%s\"", halves[0].c_str(), text);
			return ncclInvalidUsage;
		}
		for (int f = 0; f < Tuned; f++) {
			if (only >= 0 && f != only)
				continue;
			std::string unknown = apply(halves.back(), words, rows + f * words.count);
			if (!unknown.empty()) {
				warn(comm->device, "Unrecognized element token \"%s\" when parsing \"%s\"", unknown.c_str(), text);
				return ncclInvalidUsage;
			}
		}
		first = false;
	}
	return ncclSuccess;
}

// Of protocols, 2 means: where it's known to work. What the machine lacks is taken away by tune.
ncclResult_t enabled(ncclComm *comm, bool algorithms[Tuned][Algorithms], int protocols[Tuned][Protocols]) {
	int count = release() >= 22300 ? Algorithms : Algorithms - 1; // PAT came with 2.23
	std::vector<int> rows(size_t(Tuned * count), 1);
	for (int f = 0; f < Tuned; f++)
		for (int p = 0; p < Protocols; p++)
			protocols[f][p] = p == LL128 ? 2 : 1;
	if (const char *text = env("NCCL_PROTO")) {
		info(comm->device, ENV, "NCCL_PROTO set by environment to %s", text);
		if (auto rc = parse(comm, text, {protocol_names, Protocols}, protocols[0]))
			return rc;
	}
	if (const char *text = env("NCCL_ALGO")) {
		info(comm->device, ENV, "NCCL_ALGO set by environment to %s", text);
		if (auto rc = parse(comm, text, {algorithm_words, count}, rows.data()))
			return rc;
	}
	for (int f = 0; f < Tuned; f++)
		for (int a = 0; a < Algorithms; a++)
			algorithms[f][a] = a < count && rows[size_t(f * count + a)];
	return ncclSuccess;
}

} // namespace softgpu
