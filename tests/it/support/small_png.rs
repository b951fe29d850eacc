//! Pictures of pages as small files: at most 256 colours, those that fill most of the page.

use std::collections::HashMap;
use std::path::Path;

/// Red, green, blue.
type Colour = [u8; 3];

/// Writes the picture `png` to `file` with a palette.
pub fn write_small(png: &[u8], file: &Path) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().expect("a picture");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
    let info = reader.next_frame(&mut pixels).expect("a frame");
    assert_eq!(info.bit_depth, png::BitDepth::Eight);
    let bytes = info.color_type.samples();
    let colours: Vec<Colour> =
        pixels.chunks_exact(bytes).map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    let palette = palette(&colours);
    let out = std::io::BufWriter::new(std::fs::File::create(file).expect("a file"));
    let mut encoder = png::Encoder::new(out, info.width, info.height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette.concat());
    encoder.set_compression(png::Compression::High);
    // Rows of a palette have nothing to gain from the rows above them.
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header().expect("written");
    writer.write_image_data(&indexed(&colours, &palette)).expect("written");
}

/// The colours that fill most of the page. Pages have few, and between them the shades of letters' edges.
fn palette(colours: &[Colour]) -> Vec<Colour> {
    let mut counts: HashMap<Colour, usize> = HashMap::new();
    for colour in colours {
        *counts.entry(*colour).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(colour, count)| (std::cmp::Reverse(*count), *colour));
    counts.into_iter().take(256).map(|(colour, _)| colour).collect()
}

fn indexed(colours: &[Colour], palette: &[Colour]) -> Vec<u8> {
    let mut known: HashMap<Colour, u8> = HashMap::new();
    colours.iter().map(|colour| *known.entry(*colour).or_insert_with(|| nearest(*colour, palette))).collect()
}

fn nearest(colour: Colour, palette: &[Colour]) -> u8 {
    let apart = |other: &Colour| -> u32 {
        colour.iter().zip(other).map(|(one, two)| u32::from(one.abs_diff(*two)).pow(2)).sum()
    };
    let (index, _) = palette.iter().enumerate().min_by_key(|(_, other)| apart(other)).expect("a colour");
    u8::try_from(index).expect("256 colours at most")
}

#[test]
fn the_colours_of_a_page_stay_and_rare_shades_become_their_neighbours() {
    let mut colours: Vec<Colour> = (0..=255).flat_map(|grey| [[grey; 3]; 3]).collect();
    colours.push([200, 201, 200]);
    let palette = palette(&colours);
    let indexes = indexed(&colours, &palette);
    let shown: Vec<Colour> = indexes.iter().map(|index| palette[usize::from(*index)]).collect();
    assert_eq!(shown[..colours.len() - 1], colours[..colours.len() - 1]);
    assert_eq!(shown.last(), Some(&[200; 3]));
}
