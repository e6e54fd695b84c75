package webapp

import "io/fs"

// Of returns the app with these files.
func Of(files fs.FS) *App { return &App{files: files} }
