package launch

import "fmt"

// findAlone is the end of the list: no launcher shows. In a Slurm job of several tasks that is a mistake more often
// than not (the script lacks srun), so the tasks count as slots.
func findAlone(v Variables) (*World, error) {
	w := newWorld(Alone, "nobody")
	w.Size, w.LocalSize, w.LocalRank = 1, 1, 0
	r := reading{world: w, variables: v}
	r.number("slots", &w.Slots, 1, "SLURM_NTASKS")
	if r.err != nil {
		return nil, fmt.Errorf("in a Slurm job: %w", r.err)
	}
	if w.Slots > 0 {
		w.By = "Slurm"
	}
	return w, nil
}
