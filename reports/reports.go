// Package reports writes results for people and for other programs: one file, one format.
//
// It stands at the end of the data's way. It reads rows, and for the HTML page the raw samples too; it measures
// and computes nothing that summary does not.
package reports

import (
	"fmt"
	"io"

	"collbench/bench"
	"collbench/bench/summary"
)

// Formats lists the formats that Rows can write, in the order in which they are shown.
var Formats = []string{"table", "json", "csv", "nccl-tests", "markdown", "junit", "openmetrics", "github"}

// Rows writes rows in the named format, one of Formats, and behind them what Findings says of the run.
func Rows(w io.Writer, format string, info bench.RunInfo, rows []summary.Row) error {
	if err := rowsAlone(w, format, info, rows); err != nil {
		return err
	}
	return Findings(w, format, info)
}

func rowsAlone(w io.Writer, format string, info bench.RunInfo, rows []summary.Row) error {
	switch format {
	case "table":
		return Table(w, rows)
	case "json":
		for _, row := range rows {
			if err := JSON(w, row); err != nil {
				return err
			}
		}
		return nil
	case "csv":
		return CSV(w, rows)
	case "nccl-tests":
		return NCCLTests(w, info, rows)
	case "markdown":
		return Markdown(w, rows)
	case "junit":
		return JUnit(w, info, rows)
	case "openmetrics":
		return OpenMetrics(w, info, rows)
	case "github":
		return GitHub(w, rows)
	}
	return fmt.Errorf("unknown format %q: want one of %v", format, Formats)
}
