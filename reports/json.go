package reports

import (
	"encoding/json"
	"fmt"
	"io"

	"collbench/bench/summary"
)

// JSON writes one row as one line of schema collbench.result/1.
func JSON(w io.Writer, row summary.Row) error {
	if err := json.NewEncoder(w).Encode(row); err != nil {
		return fmt.Errorf("write a row as JSON: %w", err)
	}
	return nil
}
