package wire_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/wire"
)

// cardDataProbes were sent to the real server of 26.9.3 in addition to card_data.json; second is what its file had.
var cardDataProbes = [][2]string{
	{`{"s":1e39,"d":1}`, `{"s":null,"d":1.0}`},
	{`{"dr":1e39,"pos":1}`, `{"pos":1,"dr":null}`},
	{`{"dr":1e37}`, `{"dr":null}`},
	{`{"dr":1e400,"pos":1}`, `{}`},
	{`{"dr":1e36}`, `{"dr":1e36}`},
	{`{"dr":1e12}`, `{"dr":1000000000000.0}`},
	{`{"dr":1e13}`, `{"dr":1e13}`},
	{`{"dr":1.5e20}`, `{"dr":1.5e20}`},
	{`{"dr":123456789012345678}`, `{"dr":1.2345679e17}`},
	{`{"dr":9007199254740993}`, `{"dr":9.007199e15}`},
	{`{"dr":16777217}`, `{"dr":16777216.0}`},
	{`{"dr":1e7}`, `{"dr":10000000.0}`},
	{`{"dr":0.3}`, `{"dr":0.3}`},
	{`{"dr":1e-7}`, `{"dr":0.0}`},
	{`{"dr":-0.0001}`, `{"dr":-0.0}`},
	{`{"dr":-0}`, `{"dr":-0.0}`},
	{`{"pos":-0,"lrt":1}`, `{"lrt":1}`},
	{`{"lrt":9223372036854775808,"pos":2}`, `{"pos":2}`},
	{`{"lrt":-5}`, `{"lrt":-5}`},
	{`{"lrt":1e3,"pos":3}`, `{"pos":3}`},
	{`{"pos":4294967296,"lrt":1}`, `{"lrt":1}`},
	{`{"pos":true,"lrt":false,"dr":null}`, `{}`},
	{`{"pos":[1],"lrt":{}}`, `{}`},
	{`{"dr":"0.9","lrt":1}`, `{"lrt":1}`},
	{`{"s":1,"d":"x","lrt":1}`, `{"lrt":1}`},
	{`{"cd":"a\u0001\u007f\u2028é/\/"}`, "{\"cd\":\"a\\u0001\x7f\u2028é//\"}"},
	{`{"cd":"{ }"}`, `{"cd":"{ }"}`},
	{`{"cd":"x","a":1,"a":2}`, `{"cd":"x"}`},
	{`{"cd":"x","x":01}`, `{}`},
	{`{"decay":0.5,"decay":0.5}`, `{}`},
	{`{"p\u006fs":7}`, `{"pos":7}`},
	{` {"pos":1} `, `{"pos":1}`},
	{`{"pos":1}x`, `{}`},
	{`null`, `{}`},
}

func TestCardDataProbes(t *testing.T) {
	t.Parallel()
	for _, c := range cardDataProbes {
		if got := wire.CardData(c[0]); got != c[1] {
			t.Errorf("%s: got %s, want %s", c[0], got, c[1])
		}
	}
}

// TestCardDataCanonical: what is passed on as it is, is what parsing it would give. White space in front makes it parsed.
func TestCardDataCanonical(t *testing.T) {
	t.Parallel()
	parts := []string{
		`"pos":`, `"s":`, `"d":`, `"dr":`, `"decay":`, `"lrt":`, `"cd":`, `"x":`, `,`, `,`, `{`, `}`, `"`, `.`, `-`, `e5`, ` `,
		`0`, `1`, `10`, `0.5`, `1.5`, `2.25`, `100.0`, `0.0`, `00.5`, `1.2.3`, `1.`, `.5`, `12.3456`, `7.12345`, `99999.9`, `1234567.5`,
		`999999999`, `4294967296`, `1763999000`, `999999999999999999`, `9223372036854775808`, `"a"`, `null`,
	}
	rng := rand.New(rand.NewPCG(1, 2))
	canonical := 0
	for range 300_000 {
		data := "{"
		for key := range 7 {
			if rng.IntN(2) == 0 {
				data += parts[key] + parts[17+rng.IntN(len(parts)-17)] + ","
			}
		}
		data = strings.TrimSuffix(data, ",") + "}"
		if rng.IntN(3) == 0 {
			i := rng.IntN(len(data) + 1)
			data = data[:i] + parts[rng.IntN(len(parts))] + data[min(i+rng.IntN(4), len(data)):]
		}
		got, want := wire.CardData(data), wire.CardData(" "+data)
		if got != want {
			t.Fatalf("%s: got %s, want %s", data, got, want)
		}
		if got == data {
			canonical++
		}
	}
	if canonical < 1000 {
		t.Errorf("only %d were canonical", canonical)
	}
}

// TestCardDataRounding compares short decimals, which are mostly taken as they are, with the arithmetic of the reference.
func TestCardDataRounding(t *testing.T) {
	t.Parallel()
	step := 97 // of 1,000,000: every value takes a second
	for scaled := 0; scaled < 12_000_000; scaled += step {
		for decimals := 0; decimals <= 6; decimals++ {
			in := strconv.FormatFloat(float64(scaled)/math.Pow10(decimals), 'f', decimals, 64)
			for key, scale := range map[string]float32{"dr": 100, "decay": 1000} {
				f, _ := strconv.ParseFloat(in, 64)
				want := strconv.FormatFloat(float64(float32(math.Round(float64(float32(f)*scale)))/scale), 'f', -1, 32)
				if !strings.Contains(want, ".") {
					want += ".0"
				}
				if got, want := wire.CardData(fmt.Sprintf(`{%q:%s}`, key, in)), fmt.Sprintf(`{%q:%s}`, key, want); got != want {
					t.Fatalf("%s: got %s, want %s", in, got, want)
				}
			}
		}
		if scaled > 1_000_000 {
			step = 9973
		}
	}
}
