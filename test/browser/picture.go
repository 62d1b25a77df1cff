// SPDX-License-Identifier: Apache-2.0

package browser

import (
	"bytes"
	"context"
	"flag"
	"image"
	"image/png"
	"os"
	"path/filepath"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// update has Picture write files. Without it pictures are taken all the same, so that a page that cannot be shown fails its spec; they
// are not compared, because fonts differ from machine to machine.
var update = flag.Bool("update-images", false, "write the pictures of pages into docs/images")

// Screen is what a page is looked at on.
type Screen struct {
	Name          string
	width, height int64
	scale         float64
	mobile        bool
}

// Screens of those who sign in.
var (
	Phone   = Screen{"phone", 390, 844, 2, true}
	Desktop = Screen{"desktop", 1280, 800, 1, false}
)

// Scheme is what a user prefers.
type Scheme string

// Schemes of CSS (prefers-color-scheme).
const (
	Light Scheme = "light"
	Dark  Scheme = "dark"
)

// Look has the page be looked at so from now on.
func (p *Page) Look(on Screen, in Scheme) {
	GinkgoHelper()
	options := []chromedp.EmulateViewportOption{chromedp.EmulateScale(on.scale)}
	if on.mobile {
		options = append(options, chromedp.EmulateMobile, chromedp.EmulateTouch)
	}
	do(p, "changing the screen", chromedp.EmulateViewport(on.width, on.height, options...))
	do(p, "changing the scheme", func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{
				{Name: "prefers-color-scheme", Value: string(in)},
				{Name: "prefers-reduced-motion", Value: "reduce"}, // or colors are still on their way
			},
		})
		return chromedp.Void{}, err
	})
}

// Picture takes a picture of the whole page as it is looked at, and gives it. With -update-images it goes into a folder as
// <name>-<screen>-<scheme>.png.
func (p *Page) Picture(folder, name string, on Screen, in Scheme) image.Image {
	GinkgoHelper()
	p.Look(on, in)
	const lossless = 100
	content := do(p, "taking a picture", chromedp.FullScreenshot(lossless))
	picture, err := png.Decode(bytes.NewReader(content))
	Expect(err).NotTo(HaveOccurred())
	Expect(picture.Bounds().Dx()).To(Equal(int(float64(on.width)*on.scale)), "nothing is wider than the screen")
	if *update {
		file := filepath.Join(folder, name+"-"+on.Name+"-"+string(in)+".png")
		Expect(os.MkdirAll(folder, 0o755)).To(Succeed())
		Expect(os.WriteFile(file, content, 0o644)).To(Succeed())
	}
	return picture
}
