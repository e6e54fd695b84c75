package study

import (
	"math"

	"github.com/cardferry/cardferry/core/fault"
)

// The bounds of a memory state.
const (
	minStability  = 0.001
	maxStability  = 36500
	minDifficulty = 1
	maxDifficulty = 10
)

// defaultParams are those of FSRS where nothing else is set.
var defaultParams = [...]float32{
	0.212, 1.2931, 2.3065, 8.2956, 6.4133, 0.8334, 3.0194, 0.001, 1.8722, 0.1666, 0.796, 1.4835, 0.0614, 0.2629, 1.6483, 0.6014,
	1.8729, 0.5425, 0.0912, 0.0658, 0.1542,
}

// paramBounds are the bounds of each parameter.
var paramBounds = [len(defaultParams)][2]float32{
	{0.001, 100}, {0.001, 100}, {0.001, 100}, {0.001, 100}, {1, 10}, {0.001, 4}, {0.001, 4}, {0.001, 0.75}, {0, 4.5}, {0, 0.8},
	{0.001, 3.5}, {0.001, 5}, {0.001, 0.25}, {0.001, 0.9}, {0, 4}, {0, 1}, {1, 6}, {0, 2}, {0, 2}, {0, 0.8}, {0.1, 0.8},
}

// memory is how well a card is known, as FSRS sees it. The zero value is that of a card that was never answered.
type memory struct {
	stability  float32 // days
	difficulty float32
}

// fsrs computes memory states (study.md §4.5) in single precision, as all devices do: with more, the last stored decimal of one
// card in twenty is another one. Products are converted, so that no processor adds to them before they are rounded.
type fsrs struct {
	w         [len(defaultParams)]float32
	decay     float32
	factor    float32
	retention float32 // desired
	written   float32 // the decay that cards get
}

func pow(x, y float32) float32 { return float32(math.Pow(float64(x), float64(y))) }
func exp(x float32) float32    { return float32(math.Exp(float64(x))) }

func newFSRS(params []float32, retention float32) (*fsrs, error) {
	p := defaultParams
	switch n := copy(p[:], params); {
	case n == len(params) && (n == 0 || n == len(p)):
	case len(params) == 19:
		p[19], p[20] = 0, 0.5
	case len(params) == 17:
		p[4] = float32(p[5]*2) + p[4]
		p[5] = float32(math.Log(float64(float32(p[5]*3)+1))) / 3
		p[6] += 0.5
		p[17], p[18], p[19], p[20] = 0, 0, 0, 0.5
	default:
		return nil, fault.New(fault.InvalidInput, "the deck options have %d FSRS parameters; there must be 17, 19 or 21", len(params)).
			WithHint("Correct the deck options in the desktop program.")
	}
	f := &fsrs{written: p[20], retention: retention}
	for i, b := range paramBounds {
		if !(p[i] >= b[0]) { // a NaN too
			p[i] = b[0]
		}
		f.w[i] = min(p[i], b[1])
	}
	f.decay = -f.w[20]
	f.factor = pow(0.9, 1/f.decay) - 1
	return f, nil
}

// interval returns the days after which a memory has faded to the desired retention.
func (f *fsrs) interval(m memory) float64 {
	return float64(float32(m.stability/f.factor) * (pow(f.retention, 1/f.decay) - 1))
}

// shortTerm reports whether a card is to come back after an interval of less than half a day, as a learning step. Parameters that know
// nothing of the same day, such as those of version 4.5, do not allow it.
func (f *fsrs) shortTerm(days float64) bool { return days < 0.5 && f.w[17] > 0 && f.w[18] > 0 }

func (f *fsrs) firstDifficulty(button int) float32 {
	return f.w[4] - exp(f.w[5]*float32(button-1)) + 1
}

func bounded(m memory) memory {
	return memory{min(max(m.stability, minStability), maxStability), min(max(m.difficulty, minDifficulty), maxDifficulty)}
}

// next returns the memory after an answer, some whole days after the last one.
func (f *fsrs) next(m memory, days int64, button int) memory {
	if m == (memory{}) {
		return bounded(memory{f.w[button-1], f.firstDifficulty(button)})
	}
	m = bounded(m)
	w := &f.w
	d := m.difficulty + float32(float32(-w[6]*float32(button-3))*(maxDifficulty-m.difficulty))/9
	d = float32(w[7]*(f.firstDifficulty(easy)-d)) + d
	return bounded(memory{f.nextStability(m, float32(days), button), d})
}

func (f *fsrs) nextStability(m memory, days float32, button int) float32 {
	w, s, d := &f.w, m.stability, m.difficulty
	if days == 0 {
		k := exp(w[17]*(float32(button-3)+w[18])) * pow(s, -w[19])
		if button >= hard {
			k = max(k, 1)
		}
		return s * k
	}
	r := pow(float32(days/s*f.factor)+1, f.decay)
	if button == again {
		forgotten := float32(float32(w[11]*pow(d, -w[12]))*(pow(s+1, w[13])-1)) * exp((1-r)*w[14])
		return min(forgotten, s/exp(w[17]*w[18]))
	}
	growth := float32(float32(exp(w[8])*(11-d))*pow(s, -w[9])) * (exp((1-r)*w[10]) - 1)
	switch button {
	case hard:
		growth *= w[15]
	case easy:
		growth *= w[16]
	}
	return s * (float32(growth) + 1)
}

// fromSM2 derives a memory from what SM-2 knows; retention is what its intervals are taken to have kept.
func (f *fsrs) fromSM2(ease float32, interval int64, retention float32) memory {
	w := &f.w
	s := float32(max(float32(interval), minStability)*f.factor) / (pow(retention, 1/f.decay) - 1)
	s = min(max(s, minStability), maxStability)
	growth := float32(math.Exp(float64((1-retention)*w[10])) - 1) // here it is rounded after the subtraction
	d := 11 - (ease-1)/float32(float32(exp(w[8])*pow(s, -w[9]))*growth)
	return bounded(memory{s, d})
}
