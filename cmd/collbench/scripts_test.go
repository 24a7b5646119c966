package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"collbench/bench/store"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestScriptsParse has bash read every script without running it.
func TestScriptsParse(t *testing.T) {
	files, err := filepath.Glob("../../scripts/*")
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, file := range append(files, "../../.ci/run") {
		text, err := os.ReadFile(file)
		if err != nil || !bytes.HasPrefix(text, []byte("#!/usr/bin/env bash\n")) {
			continue // a folder, or no script
		}
		read++
		if out, err := exec.Command("bash", "-n", file).CombinedOutput(); err != nil {
			t.Errorf("%s: %v %s", file, err, out)
		}
	}
	if read < 5 {
		t.Errorf("only %d scripts read", read)
	}
}

// TestMPIScript measures two variants, which is two launches in one folder.
func TestMPIScript(t *testing.T) {
	launcher := mpirun(t, mpiruns[0].command, 4)
	dir := filepath.Join(t.TempDir(), "run")
	args := slices.Concat([]string{dir, "default default"}, launcher.Args[1:len(launcher.Args)-1], []string{"--"}, fourRanks(dir)[1:])
	at := slices.Index(args, "--out")
	cmd := exec.Command("../../scripts/mpirun", slices.Delete(args, at, at+2)...)
	cmd.Env = append(launcher.Env, "MPIRUN="+launcher.Path, "COLLBENCH="+os.Args[0])
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	runs, warnings, err := store.Read(dir)
	if err != nil || len(warnings) > 0 || len(runs) != 2 || len(runs[1].Results) != 2 || len(runs[1].Info.Ranks) != 4 {
		t.Errorf("%v %v: %d runs", err, warnings, len(runs))
	}
	// The worst exit code is the script's.
	cmd = exec.Command("../../scripts/mpirun", dir, "default", "--", "--bytes", "8", "--expect-ranks", "9")
	cmd.Env = append(os.Environ(), "MPIRUN=env", "COLLBENCH="+os.Args[0])
	if out, _ := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != exitEnvironment {
		t.Errorf("exit code %d\n%s", cmd.ProcessState.ExitCode(), out)
	}
}

// The modules whose files say what Kubernetes takes. scripts/setup fetches them.
const (
	kubernetesModule = "k8s.io/api@v0.34.1"
	operatorModule   = "github.com/kubeflow/mpi-operator@v0.7.0"
)

// moduleFile reads a file of a module that lies in Go's cache.
func moduleFile(t *testing.T, module, name string) []byte {
	t.Helper()
	cmd := exec.Command("go", "mod", "download", "-json", module)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=")
	out, err := cmd.Output()
	var found struct{ Dir string }
	if err != nil || json.Unmarshal(out, &found) != nil {
		t.Skipf("the schemas of Kubernetes are not here (scripts/setup fetches %s): %s", module, bytes.TrimSpace(out))
	}
	text, err := os.ReadFile(filepath.Join(found.Dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// documents reads the manifests of a file as JSON would give them.
func documents(t *testing.T, text []byte) (list []map[string]any) {
	t.Helper()
	for part := range strings.SplitSeq(string(text), "\n---\n") {
		converted, err := yaml.YAMLToJSON([]byte(strings.TrimPrefix(part, "---\n")))
		if err != nil {
			t.Fatal(err)
		}
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(converted))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, document.(map[string]any))
	}
	return list
}

func manifest(t *testing.T, name string) []map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../scripts/kubernetes", name))
	if err != nil {
		t.Fatal(err)
	}
	return documents(t, text)
}

// strict has a schema refuse the properties that it does not name, which Kubernetes would drop in silence.
func strict(schema any) {
	switch s := schema.(type) {
	case map[string]any:
		_, named := s["properties"].(map[string]any)
		if _, open := s["x-kubernetes-preserve-unknown-fields"]; named && !open && s["additionalProperties"] == nil {
			s["additionalProperties"] = false
		}
		for _, value := range s {
			strict(value)
		}
	case []any:
		for _, value := range s {
			strict(value)
		}
	}
}

// path follows keys into a document.
func path(t *testing.T, document any, keys ...any) any {
	t.Helper()
	for _, key := range keys {
		switch k := key.(type) {
		case string:
			document = document.(map[string]any)[k]
		case int:
			document = document.([]any)[k]
		}
		if document == nil {
			t.Fatalf("no %v of %v", key, keys)
		}
	}
	return document
}

// mpiJobSchema is the schema of the operator's own definition of MPIJob.
func mpiJobSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	definition := documents(t, moduleFile(t, operatorModule, "manifests/base/kubeflow.org_mpijobs.yaml"))[0]
	version := path(t, definition, "spec", "versions", 0)
	if name := path(t, version, "name"); name != "v2beta1" {
		t.Fatalf("the first version is %s", name)
	}
	schema := path(t, version, "schema", "openAPIV3Schema")
	strict(schema)
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft4) // of which OpenAPI 3.0 is an offspring
	if err := compiler.AddResource("mpijob", schema); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("mpijob")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

func TestMPIJobManifest(t *testing.T) {
	schema := mpiJobSchema(t)
	job := manifest(t, "mpijob.yaml")[0]
	if err := schema.Validate(job); err != nil {
		t.Error(err)
	}
	replicas := path(t, job, "spec", "mpiReplicaSpecs").(map[string]any)
	launcher := path(t, replicas, "Launcher", "template", "spec", "containers", 0)
	command := words(path(t, launcher, "command"))
	slots, workers := number(t, path(t, job, "spec", "slotsPerWorker")), number(t, path(t, replicas, "Worker", "replicas"))
	if ranks := slots * workers; command[len(command)-1] != fmt.Sprint(ranks) {
		t.Errorf("%d slots on %d workers, but %v", slots, workers, command)
	} else {
		refuses(t, words(path(t, launcher, "args"))[1:], ranks)
	}
	// The schema has to be able to refuse.
	for _, spoil := range []func(map[string]any){
		func(spec map[string]any) { spec["slots"] = json.Number("8") },
		func(spec map[string]any) { spec["slotsPerWorker"] = "eight" },
		func(spec map[string]any) { spec["mpiImplementation"] = "LAM" },
		func(spec map[string]any) { delete(spec, "mpiReplicaSpecs") },
	} {
		bad := manifest(t, "mpijob.yaml")[0]
		spoil(bad["spec"].(map[string]any))
		if schema.Validate(bad) == nil {
			t.Errorf("accepted: %v", bad["spec"])
		}
	}
}

func TestIndexedJobManifest(t *testing.T) {
	sample := func(name string) any {
		return documents(t, moduleFile(t, kubernetesModule, "testdata/HEAD/"+name+".yaml"))[0]
	}
	both := manifest(t, "indexed-job.yaml")
	service, job := both[0], both[1]
	for _, problem := range append(unlike("", service, sample("core.v1.Service")), unlike("", job, sample("batch.v1.Job"))...) {
		t.Error(problem)
	}
	rank := path(t, job, "spec", "template", "spec", "containers", 0)
	completions := number(t, path(t, job, "spec", "completions"))
	variables := map[string]any{}
	for _, v := range path(t, rank, "env").([]any) {
		variables[path(t, v, "name").(string)] = v.(map[string]any)["value"]
	}
	name := path(t, service, "metadata", "name")
	if variables["COLLBENCH_SIZE"] != fmt.Sprint(completions) || variables["COLLBENCH_RENDEZVOUS"] != fmt.Sprintf("%v-0.%v:4712", path(t, job, "metadata", "name"), name) ||
		path(t, job, "spec", "template", "spec", "subdomain") != name || path(t, job, "spec", "completionMode") != "Indexed" {
		t.Errorf("%d completions, service %v, variables %v", completions, name, variables)
	}
	refuses(t, append(words(path(t, rank, "command"))[1:], words(path(t, rank, "args"))...), completions)
	bad := manifest(t, "indexed-job.yaml")[1]
	bad["spec"].(map[string]any)["completion"] = json.Number("4")
	bad["spec"].(map[string]any)["parallelism"] = "4"
	if problems := unlike("", bad, sample("batch.v1.Job")); len(problems) != 2 {
		t.Errorf("%v", problems)
	}
}

// unlike holds a manifest against an example in which every field is set: it names fields that the example lacks, and
// values of another kind.
func unlike(at string, manifest, example any) (problems []string) {
	switch e := example.(type) {
	case map[string]any:
		fields, ok := manifest.(map[string]any)
		if !ok {
			return []string{at + ": want fields"}
		}
		free := len(e) == 1 && e[filepath.Base(at)+"Key"] != nil // labels and the like: any name will do
		for name, value := range fields {
			switch {
			case free:
			case e[name] == nil:
				problems = append(problems, at+"/"+name+": there is no such field")
			default:
				problems = append(problems, unlike(at+"/"+name, value, e[name])...)
			}
		}
	case []any:
		list, ok := manifest.([]any)
		if !ok {
			return []string{at + ": want a list"}
		}
		for i, value := range list {
			problems = append(problems, unlike(fmt.Sprintf("%s/%d", at, i), value, e[0])...)
		}
	default:
		if fmt.Sprintf("%T", manifest) != fmt.Sprintf("%T", example) {
			return []string{fmt.Sprintf("%s: %v is a %T: want a %T", at, manifest, manifest, example)}
		}
	}
	return problems
}

// refuses has the program read the arguments of a manifest here, where there are fewer ranks than it expects.
func refuses(t *testing.T, args []string, ranks int) {
	t.Helper()
	out, err := exec.Command(os.Args[0], append(args, "--launcher", "alone", "-n", "2")...).CombinedOutput()
	if want := fmt.Sprintf("--expect-ranks %d: there are 2", ranks); err == nil || args[0] != "run" || !strings.Contains(string(out), want) {
		t.Errorf("collbench %v: %v, want %q in\n%s", args, err, want, out)
	}
}

func words(list any) (texts []string) {
	for _, word := range list.([]any) {
		texts = append(texts, fmt.Sprint(word))
	}
	return texts
}

func number(t *testing.T, value any) int {
	t.Helper()
	var n int
	if _, err := fmt.Sscan(fmt.Sprint(value), &n); err != nil {
		t.Fatal(err)
	}
	return n
}
