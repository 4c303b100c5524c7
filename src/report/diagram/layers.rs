//! Where boxes and arrows go: in layers, each box above all that it depends on. Arrows over several layers get a place
//! of their own in each, so that they lead past the boxes; the order within a layer follows what lies above and below.

/// Free room between boxes, and around the picture.
const GAP: f64 = 22.0;
/// Room for the arrows between two layers.
const BETWEEN: f64 = 52.0;
/// How wide the place of a passing arrow is.
const PASSING: f64 = 12.0;
/// How often the order and the places are improved: more changes nothing that can be seen.
const ROUNDS: usize = 12;

/// A box or the place of a passing arrow.
struct Spot {
    width: f64,
    rank: usize,
    x: f64,
    above: Vec<usize>,
    below: Vec<usize>,
}

/// Places of everything.
#[derive(Debug)]
pub struct Layout {
    /// The middle of each box's upper side.
    pub tops: Vec<(f64, f64)>,
    /// The points that each arrow passes, from the lower side of a box to the upper side of another.
    pub routes: Vec<Vec<(f64, f64)>>,
    /// Of the whole.
    pub width: f64,
    /// Of the whole.
    pub height: f64,
}

/// Lays out boxes of these sizes, with arrows from a box to what it depends on. There is no circle among them.
pub fn lay_out(sizes: &[(f64, f64)], arrows: &[(usize, usize)]) -> Layout {
    let ranks = ranks(sizes.len(), arrows);
    let mut spots: Vec<Spot> = sizes.iter().zip(&ranks).map(|(size, rank)| spot(size.0, *rank)).collect();
    let chains: Vec<Vec<usize>> = arrows.iter().map(|arrow| chain(&mut spots, *arrow)).collect();
    let count = ranks.iter().max().map_or(0, |rank| rank + 1);
    let mut layers = vec![Vec::new(); count];
    (0..spots.len()).for_each(|one| layers[spots[one].rank].push(one));
    spread(&mut spots, &layers);
    for round in 0..ROUNDS {
        improve(&mut spots, &mut layers, round % 2 == 0);
    }
    let left = spots.iter().map(|one| one.x - one.width / 2.0).fold(f64::INFINITY, f64::min);
    spots.iter_mut().for_each(|one| one.x += GAP - left);
    let width = spots.iter().map(|one| one.x + one.width / 2.0).fold(0.0, f64::max) + GAP;
    let heights: Vec<f64> = (0..count).map(|rank| tallest(sizes, &ranks, rank)).collect();
    // From the top: the highest rank first.
    let top = |rank: usize| GAP + heights[rank + 1..].iter().map(|height| height + BETWEEN).sum::<f64>();
    let tops = (0..sizes.len()).map(|one| (spots[one].x, top(ranks[one]))).collect();
    let route = |chain: &Vec<usize>| {
        let mut points = Vec::new();
        for (place, one) in chain.iter().enumerate() {
            let Spot { x, rank, .. } = spots[*one];
            let upper = (x, top(rank));
            match sizes.get(*one) {
                Some(size) if place == 0 => points.push((x, upper.1 + size.1)),
                Some(_) => points.push(upper),
                None => points.extend([upper, (x, upper.1 + heights[rank])]),
            }
        }
        points
    };
    let height = heights.iter().sum::<f64>() + BETWEEN * count.saturating_sub(1) as f64 + 2.0 * GAP;
    Layout { tops, routes: chains.iter().map(route).collect(), width, height }
}

fn spot(width: f64, rank: usize) -> Spot {
    Spot { width, rank, x: 0.0, above: Vec::new(), below: Vec::new() }
}

/// The longest way from each box down to one that depends on nothing.
fn ranks(count: usize, arrows: &[(usize, usize)]) -> Vec<usize> {
    let mut ranks = vec![0; count];
    for _ in 0..count {
        for (from, to) in arrows {
            ranks[*from] = ranks[*from].max(ranks[*to] + 1);
        }
    }
    ranks
}

fn tallest(sizes: &[(f64, f64)], ranks: &[usize], rank: usize) -> f64 {
    sizes.iter().zip(ranks).filter(|(_, of)| **of == rank).map(|(size, _)| size.1).fold(0.0, f64::max)
}

/// The spots that an arrow passes, from its box to the other.
fn chain(spots: &mut Vec<Spot>, (from, to): (usize, usize)) -> Vec<usize> {
    let between = (spots[to].rank + 1)..spots[from].rank;
    let mut chain = vec![from];
    for rank in between.rev() {
        spots.push(spot(PASSING, rank));
        chain.push(spots.len() - 1);
    }
    chain.push(to);
    for pair in chain.windows(2) {
        spots[pair[0]].below.push(pair[1]);
        spots[pair[1]].above.push(pair[0]);
    }
    chain
}

/// Side by side, in the middle.
fn spread(spots: &mut [Spot], layers: &[Vec<usize>]) {
    for layer in layers {
        let whole: f64 = layer.iter().map(|one| spots[*one].width + GAP).sum();
        let mut x = -whole / 2.0;
        for one in layer {
            spots[*one].x = x + spots[*one].width / 2.0;
            x += spots[*one].width + GAP;
        }
    }
}

/// Draws each spot to the middle of its neighbours: of those above and below in turn, layer by layer.
fn improve(spots: &mut [Spot], layers: &mut [Vec<usize>], from_below: bool) {
    let count = layers.len();
    for step in 0..count {
        let layer = &mut layers[if from_below { step } else { count - 1 - step }];
        let wish = |one: usize| {
            let near = if from_below { &spots[one].below } else { &spots[one].above };
            let sum: f64 = near.iter().map(|other| spots[*other].x).sum();
            if near.is_empty() { spots[one].x } else { sum / near.len() as f64 }
        };
        let mut wishes: Vec<(usize, f64)> = layer.iter().map(|one| (*one, wish(*one))).collect();
        wishes.sort_by(|one, other| one.1.total_cmp(&other.1));
        let places = apart(&wishes, spots);
        for ((one, _), x) in wishes.iter().zip(&places) {
            spots[*one].x = *x;
        }
        *layer = wishes.into_iter().map(|(one, _)| one).collect();
    }
}

/// Places near these wishes that do not overlap: the mean of what comes out from the left and from the right.
fn apart(wishes: &[(usize, f64)], spots: &[Spot]) -> Vec<f64> {
    let room = |one: usize, other: usize| f64::midpoint(spots[one].width, spots[other].width) + GAP;
    let mut from_left: Vec<f64> = wishes.iter().map(|(_, x)| *x).collect();
    let mut from_right = from_left.clone();
    for place in 1..wishes.len() {
        let least = from_left[place - 1] + room(wishes[place - 1].0, wishes[place].0);
        from_left[place] = from_left[place].max(least);
    }
    for place in (1..wishes.len()).rev() {
        let most = from_right[place] - room(wishes[place - 1].0, wishes[place].0);
        from_right[place - 1] = from_right[place - 1].min(most);
    }
    from_left.iter().zip(&from_right).map(|(left, right)| f64::midpoint(*left, *right)).collect()
}

#[cfg(test)]
mod tests {
    use super::lay_out;

    /// A box lies above what it depends on, none lies on another, and an arrow over two layers leads past the box
    /// between.
    #[test]
    fn boxes_lie_apart_and_above_what_they_depend_on() {
        let sizes = [(100.0, 40.0), (180.0, 60.0), (120.0, 40.0), (90.0, 40.0)];
        let arrows = [(0, 1), (1, 2), (0, 2), (3, 2)];
        let layout = lay_out(&sizes, &arrows);
        for (from, to) in arrows {
            assert!(layout.tops[from].1 + sizes[from].1 < layout.tops[to].1, "{layout:?}");
        }
        let overlap = |one: usize, other: usize| {
            let ((x, y), (u, v)) = (layout.tops[one], layout.tops[other]);
            let wide = f64::midpoint(sizes[one].0, sizes[other].0);
            (x - u).abs() < wide && y < v + sizes[other].1 && v < y + sizes[one].1
        };
        let pairs = (0..4).flat_map(|one| (0..one).map(move |other| (one, other)));
        assert!(pairs.into_iter().all(|(one, other)| !overlap(one, other)), "{layout:?}");
        assert_eq!(layout.routes[2].len(), 4, "it passes one layer: {layout:?}");
        let passes = layout.routes[2][1].0;
        assert!((passes - layout.tops[1].0).abs() > 90.0, "past the box between: {layout:?}");
        assert!(
            layout.tops.iter().zip(sizes).all(|((x, _), (w, _))| x - w / 2.0 >= 0.0 && x + w / 2.0 <= layout.width)
        );
    }
}
