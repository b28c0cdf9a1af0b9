//! The picture: how long a whole login takes, by the number of users who are enrolled.

use plotters::prelude::*;

use crate::figures::Series;
use crate::module::Module;

const SIZE: (u32, u32) = (720, 400);

/// An SVG.
pub(crate) fn of(sizes: &[(usize, Series)]) -> String {
    let mut svg = String::new();
    draw(&mut svg, sizes).expect("a picture");
    svg
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn draw(svg: &mut String, sizes: &[(usize, Series)]) -> Result<(), Box<dyn std::error::Error>> {
    let milliseconds = |series: &Series, module| series.whole(module).p50.as_secs_f64() * 1000.0;
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let most = sizes.iter().flat_map(|(_, series)| Module::ASKING.map(|module| milliseconds(series, module)));
    let most = most.fold(1.0, f64::max) * 1.5;
    let users = (sizes[0].0 as f64)..(sizes[sizes.len() - 1].0 as f64 * 1.1);
    let mut chart = ChartBuilder::on(&area)
        .margin(12)
        .margin_right(40)
        .caption("a whole login, p50, milliseconds", ("sans-serif", 18))
        .x_label_area_size(40)
        .y_label_area_size(48)
        .build_cartesian_2d(users.log_scale(), (0.1..most).log_scale())?;
    let mesh = &mut chart.configure_mesh();
    mesh.x_desc("enrolled users")
        .x_label_formatter(&|users| format!("{users}"))
        .y_label_formatter(&|time| format!("{time}"))
        .draw()?;
    for (module, color) in
        Module::ASKING.into_iter().zip([RGBColor(0, 90, 181), RGBColor(220, 50, 32), BLACK])
    {
        let points: Vec<(f64, f64)> =
            sizes.iter().map(|(size, series)| (*size as f64, milliseconds(series, module))).collect();
        let line = LineSeries::new(points, color.stroke_width(2)).point_size(3);
        chart
            .draw_series(line)?
            .label(module.name())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
    }
    let legend = &mut chart.configure_series_labels();
    legend.position(SeriesLabelPosition::UpperLeft).background_style(WHITE).border_style(BLACK).draw()?;
    area.present()?;
    drop(chart);
    drop(area);
    Ok(())
}
