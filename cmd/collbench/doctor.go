package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"collbench/bench/doctor"
	"collbench/bench/launch"
	"collbench/bench/workers"

	"github.com/urfave/cli/v2"
)

func doctorCommand() *cli.Command {
	return &cli.Command{
		Name:  "doctor",
		Usage: "look whether this machine, its virtual machine and its fabric are fit for collectives",
		Flags: append(append([]cli.Flag{
			&cli.StringFlag{Name: "profile", Value: doctor.Profiles[0].Name, Usage: "`NAME` of what must be there: " + strings.Join(doctor.ProfileNames(), ", ")},
			&cli.StringFlag{Name: "fail-on", Value: doctor.Fail.String(), Usage: "exit with 1 from this `STATUS` on: warn or fail"},
			&cli.StringFlag{Name: "record", Usage: "write what was read into `FILE`, without names, addresses, serial numbers and secrets"},
			&cli.BoolFlag{Name: "record-full", Usage: "leave names, addresses and serial numbers in the recording"},
			&cli.StringSliceFlag{Name: "replay", Usage: "look at a recording in `FILE` instead of this machine; given several times: compare them"},
			&cli.StringFlag{Name: "format", Value: "table", Usage: strings.Join(doctorFormats, ", ")},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "`FILE` to write instead of standard output; under a launcher by rank 0"},
			ranksFlag(),
		}, worldFlags()...), joinFlags()...),
		Action: doctorAction,
	}
}

var doctorFormats = []string{"table", "json", "markdown"}

func doctorAction(c *cli.Context) error {
	profile, err := doctor.FindProfile(c.String("profile"))
	if err != nil {
		return usageErrorf("doctor: --profile: %w", err)
	}
	failOn := c.String("fail-on")
	if failOn != doctor.Warn.String() && failOn != doctor.Fail.String() {
		return usageErrorf("doctor: --fail-on: unknown status %q: want warn or fail", failOn)
	}
	if format := c.String("format"); !slices.Contains(doctorFormats, format) {
		return usageErrorf("doctor: --format: unknown format %q: want one of %s", format, strings.Join(doctorFormats, ", "))
	}
	replay, record := c.StringSlice("replay"), c.String("record")
	switch {
	case len(replay) > 0 && record != "":
		return usageErrorf("doctor: --record and --replay exclude each other")
	case c.Bool("record-full") && record == "":
		return usageErrorf("doctor: --record-full: name the file with --record")
	}
	if len(replay) > 0 {
		d, err := replayed(c, replay, profile)
		if err != nil {
			return err
		}
		return conclude(c, d)
	}
	return look(c, profile)
}

// look looks at this machine, or under a launcher at the machines of its job.
func look(c *cli.Context, profile doctor.Profile) error {
	parent := os.Getppid()
	alone := func(c *cli.Context) error {
		reports, err := looked(c, c.String("record"), profile)
		if err != nil {
			return err
		}
		return conclude(c, doctor.Diagnosis{Reports: reports})
	}
	world, variables, err := findWorld(c)
	if err != nil {
		return err
	}
	if err := lonely(world); err != nil {
		return err
	}
	if world.Size == 1 {
		return alone(c)
	}
	if c.String("record") != "" {
		return usageErrorf("doctor: --record: this is %s: record on each host by itself, then compare: doctor --replay FILE --replay FILE", world)
	}
	lead := func(c *cli.Context, fleet *workers.Fleet, _ *launch.World, _ workers.Options) error {
		return conclude(c, examined(c.Context, fleet, profile))
	}
	return inJob{parent: parent, profile: profile, lead: lead, alone: alone}.run(c, world, variables)
}

// conclude prints what was found, and ends with the exit code that it deserves.
func conclude(c *cli.Context, d doctor.Diagnosis) error {
	if err := c.Context.Err(); err != nil {
		return err
	}
	if err := output(c, func(w io.Writer) error { return writeDiagnosis(w, c.String("format"), d) }); err != nil {
		return environmentErrorf("doctor: %w", err)
	}
	if worst := d.Worst(); worst == doctor.Fail || worst == doctor.Warn && c.String("fail-on") == doctor.Warn.String() {
		return silent(exitFailed)
	}
	return nil
}

// looked looks at this machine, and records it if there is a file for it. A recording holds what any profile reads.
func looked(c *cli.Context, record string, profile doctor.Profile) ([]doctor.Report, error) {
	machine := doctor.Host()
	var recording *doctor.Recording
	if record != "" {
		machine, recording = doctor.Record(machine, c.Bool("record-full"))
		doctor.Inspect(c.Context, machine, doctor.Profiles[0])
	}
	report := doctor.Inspect(c.Context, machine, profile)
	if err := c.Context.Err(); err != nil {
		return nil, err
	}
	if recording != nil {
		if err := os.WriteFile(record, recording.Format(), 0o600); err != nil {
			return nil, environmentErrorf("doctor: --record: %w", err)
		}
		fmt.Fprintf(c.App.ErrWriter, "recording: %s\n", record)
	}
	return []doctor.Report{report}, nil
}

// replayed looks at recordings and compares them if there are several. A host without a name has its file's.
func replayed(c *cli.Context, files []string, profile doctor.Profile) (d doctor.Diagnosis, err error) {
	named, given := map[string]bool{}, map[string]bool{}
	for _, file := range files {
		if given[filepath.Clean(file)] {
			return d, usageErrorf("doctor: --replay: %s is given twice", file)
		}
		given[filepath.Clean(file)] = true
		text, err := os.ReadFile(file)
		if err != nil {
			return d, environmentErrorf("doctor: --replay: %w", err)
		}
		recording, err := doctor.ParseRecording(text)
		if err != nil {
			return d, usageErrorf("doctor: %s: %w", file, err)
		}
		report := doctor.Inspect(c.Context, recording.Machine(), profile)
		if report.Host == "" {
			report.Host = strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
		}
		if named[report.Host] {
			report.Host = file
		}
		named[report.Host] = true
		d.Reports = append(d.Reports, report)
	}
	if len(files) > 1 {
		d.Compared = doctor.Compare(d.Reports)
	}
	return d, c.Context.Err()
}

func writeDiagnosis(w io.Writer, format string, d doctor.Diagnosis) error {
	if format != "json" {
		return writeDoctorTables(w, format == "markdown", d)
	}
	d.Schema = doctor.DiagnosisSchema
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	out.SetIndent("", " ")
	return out.Encode(d)
}
