package apptest_test

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"
	"testing"
	"time"

	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/apptest"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// shapes are a rectangle, an ellipse that is covered on the other cards too, a polygon that is not, and a text.
const shapes = `{{c1::image-occlusion:rect:left=.1:top=.1:width=.2:height=.3}}<br>{{c2::image-occlusion:ellipse:left=.5:top=.1:rx=.1:ry=.2:oi=1}}<br>` +
	`{{c3::image-occlusion:polygon:left=.1:top=.6:points=.1,.6 .3,.6 .3,.9 .1,.9}}<br>{{c0::image-occlusion:text:left=.6:top=.7:text=harbour:scale=1:fs=.1}}<br>`

// cover returns the colour over the middle of each shape and over a bare place, "none" where the picture is seen, as the picture is covered
// exactly by the canvas.
const cover = `
	const image = document.querySelector("#image-occlusion-container img"), canvas = document.querySelector("canvas");
	const out = {};
	if (!image || !canvas || !image.naturalWidth) return out;
	const a = image.getBoundingClientRect(), b = canvas.getBoundingClientRect();
	if (a.width < 100 || ["left", "top", "width", "height"].some((k) => Math.abs(a[k] - b[k]) > 1)) return { off: JSON.stringify([a, b]) };
	const at = (x, y) => { const p = canvas.getContext("2d").getImageData(x * canvas.width, y * canvas.height, 1, 1).data;
		return p[3] === 0 ? "none" : [...p].map((v) => v.toString(16).padStart(2, "0")).join(""); };
	Object.assign(out, { rect: at(.2, .25), ellipse: at(.6, .3), corner: at(.51, .12), polygon: at(.2, .75), text: at(.603, .695 + .01), bare: at(.45, .95) });
	return out;`

// covered waits until the picture is covered like that.
func covered(t *testing.T, a *apptest.App, when string, want map[string]string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		got := apptest.Card[map[string]string](t, a, cover)
		same := true
		for k, v := range want {
			same = same && got[k] == v
		}
		if same {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: the picture is covered by %v, not %v", when, got, want)
		}
	}
}

// TestOcclusion studies a picture with hidden parts, made by the real program: what is asked for is covered on the question and seen on
// the answer, at every size of the window.
func TestOcclusion(t *testing.T) {
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	picture := image.NewRGBA(image.Rect(0, 0, 600, 400))
	for y := range 400 {
		for x := range 600 {
			picture.Set(x, y, color.RGBA{60, 140, uint8(x / 3), 255})
		}
	}
	var file bytes.Buffer
	if err := png.Encode(&file, picture); err != nil {
		t.Fatal(err)
	}
	desktop.Do(t, "add_occlusion", anki.Args{"picture": "map.png", "data": base64.StdEncoding.EncodeToString(file.Bytes()), "shapes": shapes, "header": "What is here?"}, nil)
	desktop.Upload(t)

	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Size(t, 360, 780, false)
	signIn(t, a)
	a.Tap(t, "Fetch my decks")
	a.Tap(t, "Study Default")
	a.ReadCard(t, "What is here?")
	question := map[string]string{"rect": "ff8e8eff", "ellipse": "ffeba2ff", "corner": "none", "polygon": "none", "text": "ffffffff", "bare": "none"}
	covered(t, a, "the question", question)
	shot(t, a, "occlusion-question")
	a.Size(t, 1280, 800, false)
	covered(t, a, "the question in a wide window", question)
	shot(t, a, "occlusion-wide")
	a.Size(t, 360, 780, false)
	a.Tap(t, "Show answer")
	covered(t, a, "the answer", map[string]string{"rect": "none", "ellipse": "ffeba2ff", "polygon": "none", "text": "ffffffff", "bare": "none"})
	shot(t, a, "occlusion-answer")
	apptest.Card[any](t, a, `document.getElementById("toggle").click()`)
	covered(t, a, "the answer without masks", map[string]string{"rect": "none", "ellipse": "none"})
}
